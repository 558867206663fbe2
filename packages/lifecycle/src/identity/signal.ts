import { isSameProcess, type ProcessIdentity, type ProcessTable } from '@procref/core'

/**
 * Sends `signal` if exactly the recorded process still runs; false when it does not, or must never be signalled (pid 1, this
 * process itself).
 *
 * Guarantee: with `processes` no other process is signalled, whatever happens meanwhile. Without, and on kernels where they cannot: the
 * process's start and the boot are compared right before the signal, with nothing awaited between.
 * Unspecified then: the microseconds between the two calls; a pid would have to be freed and given out anew within them.
 * Caller: check first that the lock which this process should hold is still held. A free lock means it is dead.
 */
export function signalSame(recorded: ProcessIdentity, signal: NodeJS.Signals, processes?: ProcessTable): boolean {
  if (processes === undefined) return signalAfterLook(recorded, signal)
  try {
    return processes.signalSame(recorded, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSYS') return signalAfterLook(recorded, signal)
    throw error
  }
}

function signalAfterLook(recorded: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (recorded.pid <= 1 || recorded.pid === process.pid || !isSameProcess(recorded)) return false
  try {
    process.kill(recorded.pid, signal)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}
