import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { hybrid } from '@procref/hybrid'
import { type Child, eventually, processState, startProgram } from '@procref/testing'
import { type Holder, readTable } from './table-bytes.ts'

const HOLDERS = 20
/** Fewer than there are holders, so that they meet all the time. */
const SLOTS = 5
const LOOK_EVERY_MS = 20
/** A random holder is killed so often, and every fifth time whoever is the watchdog. */
const KILL_EVERY_LOOKS = 3

export interface FireResult {
  readonly holders: number
  readonly slots: number
  readonly claims: number
  /** By the one that looks on, and of those the watchdog. */
  readonly kills: number
  readonly watchdogKills: number
  /** By themselves, at a step of the protocol. */
  readonly diedAtStep: number
  readonly stoppedAtStep: number
  /** So many of the dead had a slot, which the next holder found out. */
  readonly killedWithSlot: number
  /** So often the semaphore was replaced, because nobody could know what a dead process had done. */
  readonly generations: number
  /** The longest time from when a death was seen to when no slot was its any more, and every permit that it could have lost was made anew. */
  readonly longestRecoveryMs: number
  /** The longest time between two looks of the onlooker, which wants one every 20 ms: how busy the machine was. */
  readonly longestPauseMs: number
  readonly overlaps: readonly unknown[]
}

/** What the onlooker can count while it goes on. */
type Counts = Pick<
  FireResult,
  'kills' | 'watchdogKills' | 'diedAtStep' | 'stoppedAtStep' | 'claims' | 'killedWithSlot' | 'generations'
>

export interface FireOptions {
  readonly dir: string
  readonly forMs: number
  /** It goes on, up to `atMostMs`, until enough was seen. Default: whatever was seen is enough. */
  readonly isEnough?: (counts: Counts) => boolean
  readonly atMostMs?: number
}

interface Death extends Holder {
  readonly seenAt: number
  readonly generation: number
}

/**
 * Processes that claim and release, are killed at random, among them the watchdog, and die or stop by themselves at steps of the protocol. Whether
 * two have one slot is found out without the backend (tests/mixed/evidence.mjs), what the dead have left by reading the table's bytes.
 * Resolves when all are dead.
 */
export async function fire({ dir, forMs, isEnough = () => true, atMostMs = forMs }: FireOptions): Promise<FireResult> {
  const evidence = join(dir, 'evidence')
  const slots = join(dir, 'slots')
  mkdirSync(evidence, { mode: 0o700 })
  await makeTable(slots)
  const overlaps: unknown[] = []
  const counts = { kills: 0, watchdogKills: 0, diedAtStep: 0, stoppedAtStep: 0 }
  const recovery = new Recovery(slots)
  const running = new Set<Child>()
  const killed = new Set<Child>()
  const stopped = new Set<Child>()
  let isOver = false
  let longestPauseMs = 0

  const start = (): void => {
    const child = startProgram(process.execPath, { args: [HOLDER, slots, evidence] })
    const startTicks = processState(child.pid)?.startTicks ?? 0
    running.add(child)
    void child.exited.then(({ signal, code }) => {
      running.delete(child)
      stopped.delete(child)
      recovery.died({ pid: child.pid, startTicks })
      for (const line of child.stdout().split('\n')) if (line.startsWith('{')) overlaps.push(JSON.parse(line))
      if (signal !== 'SIGKILL') overlaps.push({ event: 'ended', code, signal, stderr: child.stderr() })
      else if (!killed.has(child)) counts.diedAtStep++
      if (!isOver) start()
    })
  }
  const kill = (child: Child): void => {
    killed.add(child)
    child.kill('SIGKILL')
  }
  const pick = <T>(from: readonly T[]): T | undefined => from[Math.floor(Math.random() * from.length)]

  const counted = (): Counts => ({
    claims: sizeOf(join(evidence, 'hybrid.log')),
    ...counts,
    killedWithSlot: sizeOf(join(evidence, 'killed.log')),
    generations: readTable(slots).generation,
  })

  for (let n = 0; n < HOLDERS; n++) start()
  try {
    const began = performance.now()
    let before = began
    const goesOn = (ms: number): boolean => ms < forMs || (ms < atMostMs && !isEnough(counted()))
    for (let look = 1; goesOn(before - began); look++) {
      await after(LOOK_EVERY_MS)
      const now = performance.now()
      longestPauseMs = Math.max(longestPauseMs, now - before)
      before = now
      recovery.look()
      for (const child of running) {
        if (processState(child.pid)?.state !== 'T') continue
        // Seen for the second time: it goes on, or dies where it stands.
        if (stopped.delete(child)) Math.random() < 0.5 ? child.kill('SIGCONT') : kill(child)
        else {
          stopped.add(child)
          counts.stoppedAtStep++
        }
      }
      if (look % KILL_EVERY_LOOKS !== 0) continue
      const watchdog = readTable(slots).watchdog?.pid
      const isWatchdog = look % (5 * KILL_EVERY_LOOKS) === 0
      const victim = isWatchdog ? [...running].find(({ pid }) => pid === watchdog) : pick([...running])
      if (victim === undefined) continue
      kill(victim)
      counts.kills++
      if (isWatchdog) counts.watchdogKills++
    }
    // Those who are left settle what the dead have left behind.
    for (const child of running) if (processState(child.pid)?.state === 'T') kill(child)
    await eventually('what the dead have left is settled', () => recovery.look())
  } finally {
    isOver = true
    const left = [...running]
    for (const child of left) kill(child)
    await Promise.all(left.map((child) => child.exited))
  }
  return {
    holders: HOLDERS,
    slots: SLOTS,
    ...counted(),
    longestRecoveryMs: Math.ceil(recovery.longestMs),
    longestPauseMs: Math.ceil(longestPauseMs),
    overlaps,
  }
}

const HOLDER = fileURLToPath(new URL('./children/fire-holder.mjs', import.meta.url))

/** How long what the dead have left stays. */
class Recovery {
  longestMs = 0
  readonly #dir: string
  #deaths: Death[] = []

  constructor(dir: string) {
    this.#dir = dir
  }

  died(holder: Holder): void {
    this.#deaths.push({ ...holder, seenAt: performance.now(), generation: readTable(this.#dir).generation })
  }

  /** True: nothing is left of anybody who died. */
  look(): boolean {
    const { processes, words, generation } = readTable(this.#dir)
    const now = performance.now()
    this.#deaths = this.#deaths.filter((death) => {
      const is = (holder: Holder): boolean => holder.pid === death.pid && holder.startTicks === death.startTicks
      // Of a generation that began after the death nothing can be lost by it.
      const isUncertain =
        generation === death.generation && processes.some((process) => is(process) && process.inFlight > 0)
      if (!isUncertain && !words.some((word) => typeof word !== 'number' && is(word))) return false
      this.longestMs = Math.max(this.longestMs, now - death.seenAt)
      return true
    })
    return this.#deaths.length === 0
  }
}

async function makeTable(dir: string): Promise<void> {
  const pool = await hybrid().open(dir, { slots: SLOTS })
  await pool.claim()
  await pool.close()
}

function sizeOf(log: string): number {
  return statSync(log, { throwIfNoEntry: false })?.size ?? 0
}
