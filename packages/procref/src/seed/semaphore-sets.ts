import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { errnoOf } from '@procref/core'

export interface SemaphoreSet {
  readonly id: number
  readonly uid: number
  readonly mode: number
  /** `undefined`: they could not be read (no ipcs(1), or it is not allowed). */
  readonly semaphores: readonly Semaphore[] | undefined
}

export interface Semaphore {
  readonly value: number
  /** Who changed it last; 0: nobody yet, or nobody that can be seen from here. */
  readonly pid: number
}

/** The sets with this key, by `/proc/sysvipc/sem`; none where there is no such file (another system). */
export function findSets(key: number): readonly SemaphoreSet[] {
  return lines()
    .filter((fields) => fields[0] === key)
    .map(([, id = -1, mode = 0, , uid = -1]) => ({
      id,
      uid,
      // The kernel prints it in octal.
      mode: Number.parseInt(String(mode), 8) & 0o777,
      semaphores: readSemaphores(id),
    }))
}

/** The one of them with this id; `undefined`: it is gone. */
export function readSet(key: number, id: number): SemaphoreSet | undefined {
  return findSets(key).find((set) => set.id === id)
}

/** False: it could not be removed. */
export function removeSet(id: number): boolean {
  return run('ipcrm', ['-s', String(id)]) !== undefined
}

function readSemaphores(id: number): readonly Semaphore[] | undefined {
  // semnum value ncount zcount pid
  const text = run('ipcs', ['-s', '-i', String(id)])
  if (text === undefined) return undefined
  return [...text.matchAll(/^\s*\d+\s+(\d+)\s+\d+\s+\d+\s+(\d+)\s*$/gm)].map(([, value, pid]) => ({
    value: Number(value),
    pid: Number(pid),
  }))
}

function lines(): readonly (readonly number[])[] {
  let text: string
  try {
    text = readFileSync('/proc/sysvipc/sem', 'latin1')
  } catch (error) {
    if (errnoOf(error) !== undefined) return []
    throw error
  }
  const [, ...rows] = text.trim().split('\n')
  return rows.map((row) => row.trim().split(/\s+/).map(Number))
}

/** What the program prints; `undefined`: it is not installed, or failed. */
function run(program: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync(program, args, {
      encoding: 'latin1',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 10_000,
      env: { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C' },
    })
  } catch (error) {
    if (error instanceof Error) return undefined
    throw error
  }
}
