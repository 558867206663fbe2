import { execFileSync } from 'node:child_process'
import type { ProcessIdentity } from './process-identity.ts'

/**
 * macOS has no /proc: `ps` and `sysctl` are asked, some milliseconds each. No namespaces exist there.
 * Written from the manual pages, tested only on what these programs print.
 */
export interface SystemPrograms {
  /** What the program printed; `undefined` when it ended with an error (ps: no such process). */
  run(file: string, args: readonly string[]): string | undefined
}

let cachedBootId: string | undefined

export function bootId(programs: SystemPrograms = SYSTEM): string {
  cachedBootId ??= readBootId(programs)
  return cachedBootId
}

export function identifySelf(programs: SystemPrograms = SYSTEM): ProcessIdentity {
  const own = identify(process.pid, programs)
  if (own === undefined) throw new Error('ps does not list this process')
  return own
}

export function identify(pid: number, programs: SystemPrograms = SYSTEM): ProcessIdentity | undefined {
  const startTicks = startTicksOf(pid, programs)
  if (startTicks === undefined) return undefined
  return { pid, startTicks, bootId: bootId(programs), pidNamespace: 'host', netNamespace: 'host' }
}

export function startTicksOf(pid: number, programs: SystemPrograms = SYSTEM): string | undefined {
  const line = programs.run('/bin/ps', ['-o', 'stat=,lstart=', '-p', String(pid)])?.trim()
  if (line === undefined || line === '') return undefined
  const [state = '', ...start] = line.split(/\s+/)
  return state.startsWith('Z') ? undefined : start.join(' ')
}

function readBootId(programs: SystemPrograms): string {
  const id = programs.run('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'])?.trim()
  if (id === undefined || id === '') throw new Error('sysctl does not tell kern.bootsessionuuid')
  return id
}

const SYSTEM: SystemPrograms = {
  run(file, args) {
    try {
      // `lstart` is printed in local time and words: every client has to see the same ones.
      const env = { LC_ALL: 'C', TZ: 'UTC' }
      return execFileSync(file, args, { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'ignore'] })
    } catch (error) {
      if ((error as { status?: unknown }).status === 1) return undefined
      throw error
    }
  },
}
