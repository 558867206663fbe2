import fs from 'node:fs'
import type { MessagePort } from 'node:worker_threads'
import lockfile from 'proper-lockfile'
import type { HeartAnswer, HeartCall, LostNotice } from './heart-messages.ts'
import { writeRecord } from './owner-record.ts'
import { generation, isOver, makeOwners, newestOwner, recordOf, removeLongBefore } from './owners.ts'

/** proper-lockfile makes its directories with the umask's mode; ours are for their owner alone. */
const PRIVATE_FS = {
  ...fs,
  mkdir: (path: string, done: (error: Error | null) => void) => fs.mkdir(path, { mode: 0o700 }, (error) => done(error)),
  mkdirSync: (path: string) => fs.mkdirSync(path, { mode: 0o700 }),
}

interface Held {
  readonly owners: string
  readonly number: number
  readonly watch: NodeJS.Timeout
}

const held = new Map<string, Held>()

let notices: MessagePort | undefined

/**
 * What the thread does: it takes locks and keeps them fresh, so that a busy event loop of the program stops no heartbeat. Answers a call;
 * `undefined`: it needs none.
 */
export function answerTo(call: HeartCall, noticesTo: MessagePort): HeartAnswer | undefined {
  notices = noticesTo
  if (call.do === 'forget') return void forget(call.owners, call.number)
  try {
    return { taken: take(call) }
  } catch (error) {
    const { code, message, syscall, path } = error as NodeJS.ErrnoException
    return { failed: { message, ...(code && { code }), ...(syscall && { syscall }), ...(path && { path }) } }
  }
}

function take({ owners, number, record, beatMs }: HeartCall & { readonly do: 'take' }): boolean {
  const path = generation(owners, number)
  makeOwners(owners)
  if (!make(path, owners, number, beatMs)) return false
  let keep = false
  try {
    writeRecord(recordOf(owners, number), record)
    // Who slept between its look and now may have made a number anew that others have used and cleaned away.
    keep = !isOver(owners, number)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    if (!keep) unlock(path)
  }
  if (!keep) return false
  const watch = setInterval(look, beatMs, owners, number)
  held.set(path, { owners, number, watch })
  removeLongBefore(owners, number)
  return true
}

/**
 * Takes the generation as a lock of proper-lockfile: its mkdir decides, its timer beats, and its takeover of stale locks, which lets
 * two in, is switched off by a staleness that never comes. False: somebody else has it.
 */
function make(path: string, owners: string, number: number, beatMs: number): boolean {
  try {
    lockfile.lockSync(path, {
      lockfilePath: path,
      realpath: false,
      stale: Number.POSITIVE_INFINITY,
      update: beatMs,
      fs: PRIVATE_FS,
      onCompromised: (error) => lose(owners, number, `its heartbeat failed (${error.message})`),
    })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ELOCKED') return false
    throw error
  }
}

function look(owners: string, number: number): void {
  try {
    if (!isOver(owners, number)) return
    const { number: newest } = newestOwner(owners)
    lose(owners, number, newest > number ? 'its lease ran out, and it was taken over' : 'its records were deleted')
  } catch {
    // Looked at again with the next beat: a directory that cannot be listed now says nothing about its lock.
  }
}

function lose(owners: string, number: number, reason: string): void {
  forget(owners, number)
  notices?.postMessage({ owners, number, reason } satisfies LostNotice)
}

function forget(owners: string, number: number): void {
  const path = generation(owners, number)
  const lock = held.get(path)
  if (lock === undefined) return
  held.delete(path)
  clearInterval(lock.watch)
  unlock(path)
  fs.rmSync(recordOf(owners, number), { force: true })
}

/** Ends proper-lockfile's timer and removes the directory, if they are there. */
function unlock(path: string): void {
  try {
    lockfile.unlockSync(path, { lockfilePath: path, realpath: false, fs: PRIVATE_FS })
  } catch {
    // Compromised, so it is not its any more; or the directory was deleted. What is left of it is cleaned by later owners.
  }
}
