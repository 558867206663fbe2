import { isSameProcess, type ProcessIdentity } from './process-identity.ts'

/**
 * Sends `signal` if exactly the recorded process still runs; false when it does not, or must never be signalled (pid 1, this
 * process itself).
 *
 * Guarantee: its start and the boot are compared right before the signal, with nothing awaited between.
 * Unspecified: the microseconds between the two calls; a pid would have to be freed and given out anew within them.
 * Caller: check first that the lock which this process should hold is still held. A free lock means it is dead.
 */
export function signalSame(recorded: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (recorded.pid <= 1 || recorded.pid === process.pid || !isSameProcess(recorded)) return false
  try {
    process.kill(recorded.pid, signal)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}
