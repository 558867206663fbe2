// Where the time from SIGKILL of a holder to the next claim goes: the kernel's trace points of each step, by perf(1), for a waiter of
// native() and for the same wait in C. Linux. Prints one JSON document; `--save` also writes results/wake.json, from which pages.mjs
// makes its part of docs/benchmarks.md.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { Actor } from './actor/actor.ts'
import { describeMachine } from './machine.ts'
import { ownPriority } from './noise.ts'
import { perfRecord, printProfile } from './perf.ts'
import { summarize } from './statistics.ts'
import { howToHave, type PreparedSubject } from './subject.ts'
import { SUBJECTS } from './subjects/index.ts'
import { takeOne } from './take-one.ts'
import type { Times, WaiterSteps, Wake } from './wake-section.ts'
import { withPatience } from './with-patience.ts'

const KILLS = process.argv.includes('--small') ? 20 : 500
/** Until the waiter sits where it waits; at random, or all kills would meet the same point of its timers. */
const PAUSE_MS = { least: 10, range: 20 }
const PATIENCE_MS = 30_000
const EVENTS = ['sched:sched_process_exit', 'sched:sched_wakeup', 'sched:sched_switch', 'syscalls:sys_exit_flock']
/** With hrtime's clock, so that what the processes say can be put between what the kernel says. */
const TRACED = ['-k', 'CLOCK_MONOTONIC', ...EVENTS.flatMap((event) => ['-e', event])]

const EXITS = 'kill(2) → the holder begins to end'
const GRANTED = '→ the waiting thread has the lock'
const WOKEN = '→ it has woken the thread of JavaScript'
const RUNS = '→ that thread runs'
const CLAIMED = '→ the claim has the slot'

/** One kill, in nanoseconds of CLOCK_MONOTONIC. */
interface Kill {
  readonly holder: number
  readonly waiter: number
  readonly sent: number
  readonly claimed: number
}

/** A trace point that was passed. */
interface Passed {
  readonly at: number
  readonly process: number
  readonly event: string
  readonly text: string
}

const home = mkdtempSync(join(tmpdir(), 'procref-bench-'))
try {
  const floor = await prepared('c-floor')
  const waiters: WaiterSteps[] = []
  for (const name of ['c-floor', 'native']) waiters.push(await stepsOf(name, floor))
  const wake: Wake = {
    date: new Date().toISOString(),
    machine: describeMachine(home),
    priority: ownPriority(),
    waiters,
  }
  printProfile('wake', wake)
} finally {
  rmSync(home, { recursive: true, force: true })
}

async function prepared(name: string): Promise<PreparedSubject> {
  const subject = SUBJECTS.find((one) => one.name === name)
  if (subject === undefined) throw new Error(`there is no subject ${name}`)
  const missing = await subject.unavailable(home)
  if (missing !== undefined) throw new Error(`${subject.title}: ${howToHave(missing)}`)
  return await subject.prepare(home)
}

async function stepsOf(name: string, holders: PreparedSubject): Promise<WaiterSteps> {
  const file = join(home, `${name}.data`)
  const kills = await perfRecord(file, TRACED, async () =>
    killAgain(await prepared(name), holders, join(home, `slots-${name}`)),
  )
  const passed = passedIn(file)
  const isJavaScript = name !== 'c-floor'
  const steps = isJavaScript ? [EXITS, GRANTED, WOKEN, RUNS, CLAIMED] : [EXITS, GRANTED, CLAIMED]
  // Whose thread of JavaScript was awake anyway has not been woken: those few kills have no such steps.
  const whole = kills.flatMap((kill) => {
    const times = timesOf(kill, passed, isJavaScript)
    return times === undefined ? [] : [times]
  })
  if (whole.length < kills.length / 2) throw new Error(`only ${whole.length} of ${kills.length} kills have all steps`)
  const title = SUBJECTS.find((one) => one.name === name)?.title ?? name
  return {
    title,
    kills: whole.length,
    steps: steps.map((step, n) => ({
      step,
      ...spread(whole.map((times) => (times[n + 1] ?? Number.NaN) - (times[n] ?? Number.NaN))),
    })),
    all: spread(whole.map((times) => (times.at(-1) ?? Number.NaN) - (times[0] ?? Number.NaN))),
  }
}

async function killAgain(waiting: PreparedSubject, holders: PreparedSubject, dir: string): Promise<readonly Kill[]> {
  const kills: Kill[] = []
  const waiter = await Actor.start(waiting, dir, 1)
  try {
    for (let n = 0; n < KILLS; n++) {
      await using holder = await Actor.start(holders, dir, 1)
      await takeOne(holder)
      const { claimed } = await waiter.wait()
      await after(PAUSE_MS.least + Math.random() * PAUSE_MS.range)
      const sent = Number(process.hrtime.bigint())
      await holder.kill()
      const { atNs } = await withPatience(claimed, PATIENCE_MS, 'nobody has a killed holder’s permit')
      kills.push({ holder: holder.pid, waiter: waiter.pid, sent, claimed: Number(atNs) })
      await waiter.ask('release')
    }
    return kills
  } finally {
    await waiter.kill()
  }
}

function passedIn(file: string): readonly Passed[] {
  const args = ['script', '-i', file, '--ns', '-F', 'pid,tid,time,event,trace']
  const text = execFileSync('perf', args, { encoding: 'utf8', maxBuffer: 2 ** 30, stdio: ['ignore', 'pipe', 'ignore'] })
  return text
    .split('\n')
    .flatMap((line) => {
      const [, pid, seconds, nanoseconds, event = '', trace = ''] =
        /^\s*(-?\d+)\/\s*-?\d+\s+(\d+)\.(\d{9}):\s+(\S+?):\s+(.*)$/.exec(line) ?? []
      if (pid === undefined) return []
      return [{ at: Number(seconds) * 1e9 + Number(nanoseconds), process: Number(pid), event, text: trace }]
    })
    .toSorted((a, b) => a.at - b.at)
}

/** When each step was passed; undefined where one of them was not. */
function timesOf(kill: Kill, passed: readonly Passed[], isJavaScript: boolean): readonly number[] | undefined {
  const during = passed.filter(({ at }) => at >= kill.sent && at <= kill.claimed)
  let from = kill.sent
  const times = [kill.sent]
  const next = (is: (one: Passed) => boolean): boolean => {
    const found = during.find((one) => one.at >= from && is(one))
    if (found === undefined) return false
    from = found.at
    times.push(from)
    return true
  }
  const isComplete =
    next(({ event, process: pid }) => event === 'sched:sched_process_exit' && pid === kill.holder) &&
    next(
      ({ event, process: pid, text }) =>
        event === 'syscalls:sys_exit_flock' && pid === kill.waiter && text.trim() === '0x0',
    ) &&
    (!isJavaScript ||
      (next(({ event, text }) => event === 'sched:sched_wakeup' && names(text, 'pid', kill.waiter)) &&
        next(({ event, text }) => event === 'sched:sched_switch' && names(text, 'next_pid', kill.waiter))))
  return isComplete ? [...times, kill.claimed] : undefined
}

function names(text: string, field: string, pid: number): boolean {
  return new RegExp(`(^|\\s)${field}=${pid}(\\s|$)`).test(text)
}

function spread(nanoseconds: readonly number[]): Times {
  const { p50, p99 } = summarize(nanoseconds.map((one) => one / 1_000))
  return { p50, p99 }
}
