import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { processes } from './proc.ts'

const PLACE = '/dev/shm'

/**
 * Removes the semaphores that this file's tests leave behind: one outlives a pool whose last user was killed, and the directory that would
 * lead to it goes with the test. Only those that no process has open.
 */
export function removeSemaphoresAfterwards(): void {
  let before: ReadonlySet<string>
  beforeAll(() => {
    before = new Set(ours())
  })
  afterAll(() => {
    const mapped = processes().map(({ pid }) => mapsOf(pid))
    for (const name of ours()) {
      const path = join(PLACE, name)
      if (!before.has(name) && !mapped.some((maps) => maps.includes(path))) rmSync(path, { force: true })
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
