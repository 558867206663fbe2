import fs from 'node:fs'
import type { MessagePort } from 'node:worker_threads'
import { errnoOf } from '@procref/core'
import lockfile from 'proper-lockfile'
import { failureOf, type HeartAnswer, type HeartCall, type LostNotice } from './heart-messages.ts'
import { writeRecord } from './owner-record.ts'
import { generation, isOnRecord, isOver, makeOwners, newestOwner, recordOf, removeLongBefore } from './owners.ts'
import { isCurrent, isOurs, type Ownership } from './ownership.ts'

/** proper-lockfile makes its directories with the umask's mode; ours are for their owner alone. */
const PRIVATE_FS = {
  ...fs,
  mkdir: (path: string, done: (error: Error | null) => void) => fs.mkdir(path, { mode: 0o700 }, (error) => done(error)),
  mkdirSync: (path: string) => fs.mkdirSync(path, { mode: 0o700 }),
}

/** For what is somebody else's by now. */
const KEEPING_FS = { ...PRIVATE_FS, rmdir: (_path: string, done: (error: null) => void) => done(null), rmdirSync() {} }

interface Held extends Ownership {
  readonly path: string
  readonly watch: NodeJS.Timeout
}

/** By their claims. */
const held = new Map<string, Held>()

let notices: MessagePort | undefined

/**
 * What the thread does: it takes locks and keeps them fresh, so that a busy event loop of the program stops no heartbeat. Answers a call;
 * `undefined`: it needs none.
 */
export function answerTo(call: HeartCall, noticesTo: MessagePort): HeartAnswer | undefined {
  notices = noticesTo
  if (call.do === 'forget') return void forget(call.claim)
  try {
    return { taken: take(call) }
  } catch (error) {
    return { failed: failureOf(error) }
  }
}

function take({ owners, number, record, beatMs }: HeartCall & { readonly do: 'take' }): boolean {
  const { claim } = record
  const path = generation(owners, number)
  const ownership = { owners, number, claim }
  loseIfDeleted(path)
  makeOwners(owners)
  if (!make(path, ownership, beatMs)) return false
  let written = false
  let keep = false
  try {
    written = true
    writeRecord(recordOf(owners, number), record)
    // Who slept between its look and now may have made a number anew that others have used and cleaned away.
    keep = !isOver(owners, number)
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error
    written = false
  } finally {
    // Nobody had it, so the number may be taken again. The record first: once the directory is gone it can be another's.
    if (!keep) {
      if (written) unlessRefused(() => fs.rmSync(recordOf(owners, number), { force: true }))
      unlock(path, PRIVATE_FS)
    }
  }
  if (!keep) return false
  const watch = setInterval(look, beatMs, ownership)
  held.set(claim, { ...ownership, path, watch })
  unlessRefused(() => removeLongBefore(owners, number))
  return true
}

/** One that this thread still holds, but whose directory was deleted: proper-lockfile cannot tell two of the same path apart. */
function loseIfDeleted(path: string): void {
  for (const lock of held.values()) if (lock.path === path) look(lock)
}

/**
 * Takes the generation as a lock of proper-lockfile: its mkdir decides, its timer beats, and its takeover of stale locks, which lets
 * two in, is switched off by a staleness that never comes. False: somebody else has it.
 */
function make(path: string, { claim }: Ownership, beatMs: number): boolean {
  try {
    lockfile.lockSync(path, {
      lockfilePath: path,
      realpath: false,
      stale: Number.POSITIVE_INFINITY,
      update: beatMs,
      fs: PRIVATE_FS,
      onCompromised: (error) => lose(claim, `its heartbeat failed (${error.message})`),
    })
    return true
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException
    // Made, and then gone at its first heartbeat: we stood still in between, and others have taken it over and cleaned it away.
    if (code === 'ELOCKED' || (code === 'ENOENT' && syscall !== 'mkdir')) return false
    throw error
  }
}

function look(ownership: Ownership): void {
  try {
    if (isCurrent(ownership)) return
    const { number: newest } = newestOwner(ownership.owners)
    const taken = newest > ownership.number
    lose(ownership.claim, taken ? 'its lease ran out, and it was taken over' : 'its records were deleted')
  } catch {
    // Looked at again with the next beat: a directory that cannot be listed now says nothing about its lock.
  }
}

function lose(claim: string, reason: string): void {
  forget(claim)
  notices?.postMessage({ claim, reason } satisfies LostNotice)
}

function forget(claim: string): void {
  const lock = held.get(claim)
  if (lock === undefined) return
  held.delete(claim)
  clearInterval(lock.watch)
  // What is kept is cleaned by later owners.
  const remove = mayBeRemoved(lock)
  unlock(lock.path, remove ? PRIVATE_FS : KEEPING_FS)
  if (!remove) return
  unlessRefused(() => fs.rmSync(recordOf(lock.owners, lock.number), { force: true }))
}

function mayBeRemoved(lock: Held): boolean {
  try {
    return isOurs(lock) && isOnRecord(lock.owners, lock.number)
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return false
  }
}

/** For tidying up: later owners do what the system refuses now, and an error here would end the thread, and with it all other locks. */
function unlessRefused(tidy: () => void): void {
  try {
    tidy()
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
  }
}

/** Ends proper-lockfile's timer, and removes the directory unless `files` keeps it. */
function unlock(path: string, files: typeof PRIVATE_FS | typeof KEEPING_FS): void {
  try {
    lockfile.unlockSync(path, { lockfilePath: path, realpath: false, fs: files })
  } catch {
    // Compromised, so it is not its any more; or the directory was deleted. What is left of it is cleaned by later owners.
  }
}
