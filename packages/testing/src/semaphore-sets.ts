import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll } from 'vitest'
import { Leftovers } from './leftovers.ts'

/**
 * Removes the sets that this file's tests leave behind: a set outlives a pool whose last holder was killed, and the directory that would
 * lead to it goes with the test. Only what is unused, and when no other file's tests make any (see leftovers.ts).
 */
export function removeSetsAfterwards(): void {
  let leftovers: Leftovers
  beforeAll(() => {
    leftovers = new Leftovers('semaphore-sets', () => privateSets().map(String))
  })
  afterAll(() => {
    for (const id of leftovers.end().map(Number)) if (isUnused(id)) removeUnlessGone(id)
  })
}

/** Its last pool may be closed at this moment, by a program that was still ending, and remove it itself. */
function removeUnlessGone(id: number): void {
  try {
    removeSet(id)
  } catch (error) {
    if (setExists(id)) throw error
  }
}

/** Private sets with the mode of ours, by id. */
function privateSets(): readonly number[] {
  const [, ...lines] = readFileSync('/proc/sysvipc/sem', 'latin1').trim().split('\n')
  const sets = lines.map((line) => line.trim().split(/\s+/).map(Number))
  return sets.filter(([key, , mode]) => key === 0 && mode === 600).map(([, id]) => id ?? -1)
}

/** All slots are free: one each, and as many in the semaphore behind them. */
function isUnused(id: number): boolean {
  const text = execFileSync('ipcs', ['-s', '-i', String(id)], { encoding: 'latin1' })
  const values = [...text.matchAll(/^\s*\d+\s+(\d+)\s+\d+\s+\d+\s+\d+\s*$/gm)].map(([, value]) => Number(value))
  const slots = values.length - 6
  return slots > 0 && values.slice(0, slots).every((value) => value === 1) && values[slots] === slots
}

/** Takes the set from whoever uses it. */
export function removeSet(id: number): void {
  execFileSync('ipcrm', ['-s', String(id)])
}

/** Does the kernel have a set of this id? */
export function setExists(id: number): boolean {
  return privateSets().includes(id)
}
