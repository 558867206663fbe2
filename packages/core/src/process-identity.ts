import { ProcessIdentityUnavailableError } from './identity-unavailable.ts'
import { darwinReader } from './process-identity.darwin.ts'
import { linux } from './process-identity.linux.ts'
import type { ProcessIdentity } from './process-table.ts'

/** What one platform has to know. */
export interface IdentityReader {
  bootId(): string
  identifySelf(): ProcessIdentity
  identify(pid: number): ProcessIdentity | undefined
  /** Pid and start only: what is read again right before a signal. */
  startTicksOf(pid: number): string | undefined
  /** Is there such a process although it cannot be looked at from here? */
  isHidden(pid: number): boolean
  /** As `processState`, whoever has that pid. */
  stateOf(pid: number): string | undefined
}

/** Throws `ProcessIdentityUnavailableError` where this cannot be asked (another system; Linux without a /proc of its own). */
export function identifySelf(): ProcessIdentity {
  return reader().identifySelf()
}

/** The process that has this pid now; `undefined` when there is none that runs (a zombie does not). Throws as `identifySelf`. */
export function identify(pid: number): ProcessIdentity | undefined {
  return isPid(pid) ? reader().identify(pid) : undefined
}

/**
 * Does exactly this process still run? False when it is gone, a zombie, from another boot or pid namespace, or not to be
 * seen from here.
 *
 * Unspecified: whether it still runs a moment later; for a signal see `signalSame`.
 */
export function isSameProcess(recorded: ProcessIdentity): boolean {
  if (!isPid(recorded.pid)) return false
  const own = identifySelf()
  return (
    recorded.bootId === own.bootId &&
    recorded.pidNamespace === own.pidNamespace &&
    recorded.startTicks === reader().startTicksOf(recorded.pid)
  )
}

/**
 * Is it certain that this process has ended? More than "not `isSameProcess`": false also for another boot or pid namespace, where nothing
 * can be told, and for a process that the system hides (proc(5), `hidepid`). A zombie has ended. Throws as `identifySelf`.
 */
export function isProvenDead(recorded: ProcessIdentity): boolean {
  const own = identifySelf()
  if (!isPid(recorded.pid) || recorded.bootId !== own.bootId || recorded.pidNamespace !== own.pidNamespace) return false
  return !isSameProcess(recorded) && !reader().isHidden(recorded.pid)
}

/**
 * What the kernel says this process is doing, a letter and its meaning: `S (sleeping)`, `T (stopped)`. For people and as
 * evidence: most states are over before they are read. `undefined` under the conditions under which `isSameProcess` is false.
 */
export function processState(recorded: ProcessIdentity): string | undefined {
  return isSameProcess(recorded) ? reader().stateOf(recorded.pid) : undefined
}

/** Do pids and ports mean the same to that process as to this one? */
export function sameNamespaces(recorded: ProcessIdentity): boolean {
  const own = identifySelf()
  return recorded.pidNamespace === own.pidNamespace && recorded.netNamespace === own.netNamespace
}

/** Names this boot of the machine. */
export function bootId(): string {
  return reader().bootId()
}

/** The shape of a recorded identity. */
export function isProcessIdentity(value: unknown): value is ProcessIdentity {
  if (typeof value !== 'object' || value === null) return false
  const v = value as Record<string, unknown>
  return (
    isPid(v.pid) &&
    typeof v.startTicks === 'string' &&
    typeof v.bootId === 'string' &&
    typeof v.pidNamespace === 'string' &&
    typeof v.netNamespace === 'string'
  )
}

function isPid(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0
}

let darwin: IdentityReader | undefined

function reader(): IdentityReader {
  switch (process.platform) {
    case 'linux':
      return linux
    case 'darwin':
      darwin ??= darwinReader()
      return darwin
    default:
      throw new ProcessIdentityUnavailableError(`the system is ${process.platform}`)
  }
}
