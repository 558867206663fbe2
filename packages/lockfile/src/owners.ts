import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '@procref/core'

/**
 * Who owned the lock of one file, generation after generation, in the directory `FILE.owners` beside it:
 *
 * - `7`      a directory: generation 7 was taken. Making it is what takes the lock, and only one process can. Its times are the heartbeat.
 * - `7.json` who that was (`OwnerRecord`)
 * - `7.free` generation 7 was given back
 *
 * The newest number of any kind decides: with `.free` the lock can be taken, as the next number; without, its owner has it until it is
 * dead or its lease has run out, and then the lock is taken as the next number all the same. Nothing is ever taken away from anybody: whoever
 * sees a greater number than its own has lost the lock. So there is no moment between "remove the old" and "make the new", in which
 * proper-lockfile lets two in (its issue 121).
 */
export function ownersOf(path: string): string {
  return `${path}.owners`
}

export interface Newest {
  /** 0: nobody ever had it. */
  readonly number: number
  readonly free: boolean
  /** What the last heartbeat left, to be compared with what it was before, and never with a clock; '' when there is none to be seen. */
  readonly beat: string
}

/** Old generations are kept so far back: whoever lists the names while others come and go must not miss all of the newer ones. */
const KEPT_GENERATIONS = 16

export function newestOwner(owners: string): Newest {
  const names = list(owners)
  const number = newestIn(names)
  const free = number === 0 || names.includes(freeMark(number))
  return { number, free, beat: free ? '' : beatOfGeneration(owners, number) }
}

/** Has `number` been given back, or has somebody taken a later one? */
export function isOver(owners: string, number: number): boolean {
  const names = list(owners)
  return newestIn(names) !== number || names.includes(freeMark(number)) || !names.includes(String(number))
}

/** Is it on record that `number` was had, also without its directory and its record? Else it could be taken a second time. */
export function isOnRecord(owners: string, number: number): boolean {
  const names = list(owners)
  return newestIn(names) > number || names.includes(freeMark(number))
}

export function generation(owners: string, number: number): string {
  return join(owners, String(number))
}

export function recordOf(owners: string, number: number): string {
  return join(owners, `${number}.json`)
}

/** 0700; a missing parent throws `ENOENT`. */
export function makeOwners(owners: string): void {
  try {
    mkdirSync(owners, { mode: 0o700 })
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error
  }
}

/** Gives `number` back. Nothing of it may be removed before that is on record (`isOnRecord`): the number must not be taken a second time. */
export function markFree(owners: string, number: number): void {
  try {
    writeFileSync(join(owners, freeMark(number)), '', { flag: 'wx', mode: 0o600 })
  } catch (error) {
    const errno = errnoOf(error)
    // ENOENT: deleted, lock and all. Anything else (a full disk): time gives it back, as it does with a dead owner.
    if (errno === undefined) throw error
  }
}

/** Removes what is left of generations long before `number`. Never throws for what others remove meanwhile. */
export function removeLongBefore(owners: string, number: number): void {
  for (const name of list(owners)) {
    const old = numberOf(name)
    if (old !== undefined && old <= number - KEPT_GENERATIONS) {
      rmSync(join(owners, name), { recursive: true, force: true })
    }
  }
}

function newestIn(names: readonly string[]): number {
  return names.reduce((newest, name) => Math.max(newest, numberOf(name) ?? 0), 0)
}

function numberOf(name: string): number | undefined {
  const digits = /^([1-9]\d{0,14})(?:\.json|\.free)?$/.exec(name)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

function freeMark(number: number): string {
  return `${number}.free`
}

function list(owners: string): readonly string[] {
  try {
    return readdirSync(owners)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}

function beatOfGeneration(owners: string, number: number): string {
  const stat = statSync(generation(owners, number), { bigint: true, throwIfNoEntry: false })
  // Both: the mtime is what the owner's wall clock says, which may stand still; the ctime is the kernel's.
  return stat === undefined ? '' : `${stat.mtimeNs} ${stat.ctimeNs}`
}
