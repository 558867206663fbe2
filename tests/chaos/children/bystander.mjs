// Somebody whose pid stands in a record that is not about it: says each signal that reaches it. Ends with its standard input.
import { constants } from 'node:os'
import { say } from '@procref/testing/child'

const CANNOT_BE_CAUGHT = new Set(['SIGKILL', 'SIGSTOP'])
/** Node takes this one itself, and the kernel sends those two to whoever writes to nobody, or has another terminal. */
const NOT_SENT_BY_ANYBODY = new Set(['SIGPROF', 'SIGPIPE', 'SIGWINCH'])
/** Handlers for these would not run: the kernel sends them for faults of the program itself. */
const FAULTS = new Set(['SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL'])

for (const signal of Object.keys(constants.signals)) {
  if (CANNOT_BE_CAUGHT.has(signal) || NOT_SENT_BY_ANYBODY.has(signal) || FAULTS.has(signal)) continue
  process.on(signal, () => say('signalled', { signal }))
}
process.stdin.on('end', () => process.exit(0)).resume()
say('there')
