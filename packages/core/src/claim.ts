import { delay, jittered } from './delay.ts'
import { errnoOf, translateErrno } from './errno.ts'
import { ProcrefError } from './errors.ts'
import type { FileLock } from './file-locker.ts'
import { SlotProbedError } from './slot-errors.ts'
import { type SlotFiles, tryTakeSlot } from './slot-files.ts'

/** So long probers alone can keep a claimer from a decision; then it says so. */
const PROBED_FOR_MS = 1000
const FIRST_PAUSE_MS = 2
const LONGEST_PAUSE_MS = 20
/** After so many slots the event loop gets a turn: a few milliseconds of system calls. */
const SLOTS_PER_TURN = 256

export interface Claimed {
  readonly slot: number
  readonly lock: FileLock
}

/** Trouble with one slot's file: the others may do. (A full disk keeps us only from making a new file.) */
const ONE_SLOT_ERRNOS: ReadonlySet<string | undefined> = new Set([
  'EACCES',
  'EPERM',
  'ELOOP',
  'EISDIR',
  'ENXIO',
  'ENODEV',
  'EOPNOTSUPP',
  'ENOSPC',
  'EDQUOT',
])

/** What the tries so far came to, when none of them got a slot. */
export interface NotClaimed {
  readonly tried: number
  readonly refused: readonly number[]
  /** The first trouble with a slot's file that the other slots may not have. */
  readonly fault?: unknown
}

export const NONE_TRIED: NotClaimed = { tried: 0, refused: [] }

/** The first try of a claim, which in nearly every claim is the only one; `claimFreeSlot` goes on from what it returns. */
export function trySlot(files: SlotFiles, slot: number): Claimed | NotClaimed {
  try {
    const lock = tryTakeSlot(files, slot)
    return lock === undefined ? { tried: 1, refused: [slot] } : { slot, lock }
  } catch (error) {
    return { tried: 1, refused: [], fault: toleratedFault(error, files.path(slot)) }
  }
}

/**
 * Locks the first free slot, in turn from `start`, of which `done.tried` have been tried; `undefined`: every slot was proven to be held.
 *
 * An exclusive try that is refused proves nothing, as it may have met somebody who only looks. So all slots are tried, then those
 * that refused are probed (shared), and whichever nobody holds is tried again, with pauses, for one second.
 * `SlotProbedError` after that. A slot whose file cannot be used is passed over, but then the pool is not "exhausted": its
 * error is thrown if no other slot is free.
 */
export async function claimFreeSlot(
  files: SlotFiles,
  done: NotClaimed,
  start: number,
  signal: AbortSignal,
): Promise<Claimed | undefined> {
  const refused = [...done.refused]
  let { fault } = done
  for (let { tried } = done; tried < files.size; tried++) {
    if (tried % SLOTS_PER_TURN === SLOTS_PER_TURN - 1) await turn(signal)
    const next = trySlot(files, (start + tried) % files.size)
    if ('lock' in next) return next
    refused.push(...next.refused)
    fault ??= next.fault
  }
  const claimed = await claimUnheld(files, refused, signal)
  if (claimed === undefined && fault !== undefined) throw fault
  return claimed
}

async function claimUnheld(
  files: SlotFiles,
  slots: readonly number[],
  signal: AbortSignal,
): Promise<Claimed | undefined> {
  const giveUpAt = performance.now() + PROBED_FOR_MS
  let undecided = slots
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
    undecided = await notHeld(files, undecided, signal)
    for (const slot of undecided) {
      const lock = takeAgain(files, slot)
      if (lock !== undefined) return { slot, lock }
    }
    if (undecided.length === 0) return undefined
    if (performance.now() >= giveUpAt) throw new SlotProbedError(files.dir, undecided, PROBED_FOR_MS)
    await delay(jittered(pause), { signal, timer: 'ref' })
  }
}

/** Those of `slots` that were not proven to be held. */
async function notHeld(files: SlotFiles, slots: readonly number[], signal: AbortSignal): Promise<readonly number[]> {
  const left: number[] = []
  for (const [index, slot] of slots.entries()) {
    if (index % SLOTS_PER_TURN === SLOTS_PER_TURN - 1) await turn(signal)
    if (!isHeld(files, slot)) left.push(slot)
  }
  return left
}

function isHeld(files: SlotFiles, slot: number): boolean {
  const path = files.path(slot)
  try {
    const watch = files.locker.watch(path)
    try {
      const state = watch.probe()
      if (state === 'unknown' && watch.lastError !== undefined) throw watch.lastError
      return state === 'held'
    } finally {
      watch.close()
    }
  } catch (error) {
    // Deleted since it refused us: trying again makes a new one.
    if (errnoOf(error) === 'ENOENT') return false
    throw translateErrno(error, 'look at the lock of', path)
  }
}

function takeAgain(files: SlotFiles, slot: number): FileLock | undefined {
  try {
    return tryTakeSlot(files, slot)
  } catch (error) {
    throw claimFault(error, files.path(slot))
  }
}

/** The error of a slot that can be passed over; throws any other. */
function toleratedFault(error: unknown, path: string): unknown {
  const fault = claimFault(error, path)
  if (error instanceof ProcrefError || ONE_SLOT_ERRNOS.has(errnoOf(error))) return fault
  throw fault
}

function claimFault(error: unknown, path: string): unknown {
  return translateErrno(error, 'claim the slot', path)
}

/** Lets the event loop do other work. */
async function turn(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  signal.throwIfAborted()
}
