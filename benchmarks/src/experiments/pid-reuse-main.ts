// The first process of a PID namespace of its own; when it ends, the kernel ends all others in it. Reads its order from its standard input.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { Actor } from '../actor/actor.ts'
import type { ActorCommand, PreparedSubject } from '../subject.ts'
import { takeOnlyPermit } from './only-permit.ts'
import { tryUntil } from './patience.ts'

export interface ReuseOrder {
  readonly command: ActorCommand
  readonly patienceMs: number
}

export interface ReuseSeen {
  /** The holder's, then the unrelated program's. */
  readonly pid: number
  /** Until another process had the permit; null: it did not get it. */
  readonly tookMs: number | null
  readonly isUnrelatedAlive: boolean
  /** Was it to be had once the unrelated program was gone too? */
  readonly isFreeAfterwards: boolean
}

/** Threads get numbers from the same row: one of ours may take the wanted one first. */
const MOST_TRIES = 100

const { command, patienceMs } = JSON.parse(await text(process.stdin)) as ReuseOrder
const subject: PreparedSubject = { command: () => command, async [Symbol.asyncDispose]() {} }
const seen = await observeReuse()
process.stdout.write(JSON.stringify(seen))

async function observeReuse(): Promise<ReuseSeen> {
  await using holder = await Actor.start(subject, '', 1)
  await using other = await Actor.start(subject, '', 1)
  await takeOnlyPermit(holder)
  const { pid } = holder
  await holder.kill()
  const unrelated = await startWithPid(pid)
  const got = await tryUntil(other, patienceMs)
  const isUnrelatedAlive = unrelated.exitCode === null && unrelated.signalCode === null
  await end(unrelated)
  return {
    pid,
    tookMs: got?.tookMs ?? null,
    isUnrelatedAlive,
    isFreeAfterwards: got !== undefined || (await tryUntil(other, patienceMs)) !== undefined,
  }
}

async function startWithPid(wanted: number): Promise<ChildProcess> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    writeFileSync('/proc/sys/kernel/ns_last_pid', String(wanted - 1))
    const child = spawn('sleep', ['600'], { stdio: 'ignore' })
    if (child.pid === wanted) return child
    await end(child)
  }
  throw new Error(`no process got the PID ${wanted} in ${MOST_TRIES} tries`)
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}
