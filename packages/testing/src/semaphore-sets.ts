import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll } from 'vitest'

/**
 * Removes the sets that this file's tests leave behind: a set outlives a pool whose last holder was killed, and the directory that would
 * lead to it goes with the test. Only what is unused: another test's pool would not mind anyway, it makes a new one.
 */
export function removeSetsAfterwards(): void {
  let before: ReadonlySet<number>
  beforeAll(() => {
    before = new Set(privateSets())
  })
  afterAll(() => {
    for (const id of privateSets()) if (!before.has(id) && isUnused(id)) removeSet(id)
  })
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
