import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { Leftovers } from './leftovers.ts'
import { processes } from './proc.ts'

const PLACE = '/dev/shm'

/**
 * Removes the semaphores that this file's tests leave behind: one outlives a pool whose last user was killed, and the directory that would
 * lead to it goes with the test. Only those that no process has open, and when no other file's tests make any (see leftovers.ts).
 */
export function removeSemaphoresAfterwards(): void {
  let leftovers: Leftovers
  beforeAll(() => {
    leftovers = new Leftovers('semaphores', ours)
  })
  afterAll(() => {
    const left = leftovers.end()
    // Read after they were listed: who has made one since then is not in the list.
    const mapped = processes().map(({ pid }) => mapsOf(pid))
    for (const path of left.map((name) => join(PLACE, name))) {
      if (!mapped.some((maps) => maps.includes(path))) rmSync(path, { force: true })
    }
  })
}

/** With a generation behind the name, which no other semaphore of ours has. */
function ours(): readonly string[] {
  return readdirSync(PLACE).filter((name) => /^(sem\.)?prf-[0-9a-f]{24}-\d+$/.test(name))
}

function mapsOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/maps`, 'latin1')
  } catch {
    // Gone, or not ours to look into; then the semaphore is not its either.
    return ''
  }
}
