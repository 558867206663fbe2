import { execFileSync } from 'node:child_process'
import { ProcessIdentityUnavailableError } from './identity-unavailable.ts'
import type { IdentityReader } from './process-identity.ts'
import type { ProcessIdentity } from './process-table.ts'

/** The letters of `ps`, in the words that Linux has for them. */
const STATES: Readonly<Record<string, string>> = {
  I: 'idle',
  S: 'sleeping',
  T: 'stopped',
  U: 'disk sleep',
  Z: 'zombie',
}

/** What a program printed; `undefined` when it ended with status 1 (ps: no such process). */
export type RunProgram = (file: string, args: readonly string[]) => string | undefined

/**
 * macOS has no /proc and no namespaces: `ps` and `sysctl` are asked, some milliseconds each. Written from their manual
 * pages and tested on what they print; it has not been run there.
 */
export function darwinReader(run: RunProgram = runProgram): IdentityReader {
  let boot: string | undefined

  function bootId(): string {
    boot ??= run('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'])?.trim()
    if (!boot) throw new ProcessIdentityUnavailableError('sysctl does not tell kern.bootsessionuuid')
    return boot
  }

  function startTicksOf(pid: number): string | undefined {
    const [state = '', ...start] = (run('/bin/ps', ['-o', 'stat=,lstart=', '-p', String(pid)]) ?? '')
      .trim()
      .split(/\s+/)
    return state === '' || state.startsWith('Z') ? undefined : start.join(' ')
  }

  function identify(pid: number): ProcessIdentity | undefined {
    const startTicks = startTicksOf(pid)
    if (startTicks === undefined) return undefined
    return { pid, startTicks, bootId: bootId(), pidNamespace: 'host', netNamespace: 'host' }
  }

  function stateOf(pid: number): string | undefined {
    const letter = run('/bin/ps', ['-o', 'stat=', '-p', String(pid)])?.trim()[0]
    return letter === undefined ? undefined : `${letter} (${STATES[letter] ?? 'running'})`
  }

  let self: ProcessIdentity | undefined

  function identifySelf(): ProcessIdentity {
    self ??= identify(process.pid)
    if (self === undefined) throw new ProcessIdentityUnavailableError('ps does not list this process')
    return self
  }

  return { bootId, identifySelf, identify, startTicksOf, isHidden: () => false, stateOf }
}

function runProgram(file: string, args: readonly string[]): string | undefined {
  try {
    // `lstart` is printed in local time and words: every client has to see the same ones.
    const env = { LC_ALL: 'C', TZ: 'UTC' }
    return execFileSync(file, args, { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'ignore'] })
  } catch (error) {
    if ((error as { status?: unknown }).status === 1) return undefined
    throw error
  }
}
