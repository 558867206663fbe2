import { constants } from 'node:os'
import type { ProcessIdentity, ProcessTable } from '@procref/core'
import type { IdentityBinding } from './binding.ts'
import { calling } from './native-error.ts'
import { hasProcessTable } from './platform.ts'

/** The part `processes` of a backend, where there is one. Nothing is loaded before it is asked. */
export function processTable(load: () => IdentityBinding): { readonly processes?: ProcessTable } {
  return hasProcessTable() ? { processes: new NativeProcesses(load) } : {}
}

/** What fits a pid of the kernel; other numbers are nobody's, and must not be cut to one that is somebody's. */
const MAX_PID = 2 ** 31 - 1

class NativeProcesses implements ProcessTable {
  readonly #load: () => IdentityBinding

  constructor(load: () => IdentityBinding) {
    this.#load = load
  }

  startTicksOf(pid: number): string | undefined {
    return ask(pid, 'stat', () => this.#load().identityStartTicksOf(pid))
  }

  executableOf(pid: number): string | undefined {
    return ask(pid, 'exe', () => this.#load().identityExecutableOf(pid))
  }

  bootId(): string {
    return calling('/proc/sys/kernel/random/boot_id', () => this.#load().identityBootId())
  }

  namespaceOf(pid: number, kind: 'pid' | 'net'): string | undefined {
    const native = this.#load()
    const look = () => (kind === 'pid' ? native.identityPidNamespaceOf(pid) : native.identityNetNamespaceOf(pid))
    return ask(pid, `ns/${kind}`, look)
  }

  signalSame({ pid, startTicks, bootId, pidNamespace }: ProcessIdentity, signal: NodeJS.Signals): boolean {
    if (!isPid(pid)) return false
    const native = this.#load()
    return calling(`/proc/${pid}`, () =>
      native.identitySignalSame(pid, startTicks, bootId, pidNamespace, constants.signals[signal]),
    )
  }
}

function ask(pid: number, what: string, look: () => string | null): string | undefined {
  return isPid(pid) ? (calling(`/proc/${pid}/${what}`, look) ?? undefined) : undefined
}

function isPid(value: number): boolean {
  return Number.isInteger(value) && value > 0 && value <= MAX_PID
}
