import { type Factories, offerFactories } from '@procref/core'
import { LEAVE_ORPHAN, leaveOrphan } from '../detached/leave-orphan.ts'
import { runDetached } from '../detached/program.ts'
import { BUILT_IN } from './built-in.ts'
import { runGuardian } from './guardian.ts'
import type { GuardianSetup, GuardianStatus } from './setup.ts'

/**
 * All that a program's own guardian file has to do, for programs that are bundled: the file is bundled as well, and its path given to
 * `connect()` as `guardianProgram`. `connect()` starts it with Node when a guardian is wanted; it becomes the guardian.
 *
 * `factories`: the backends and drivers of the bundle that clients may use, under the names that they are exported by:
 * `guardian({ native, embeddedSurreal })`. `surrealBinary` and `command` are there always, and so is everything that is not bundled.
 *
 * Guarantee: a process that `connect()` has not started as a guardian is ended at once, with exit code 2 and a line that says why.
 * Caller: calls it first, and does nothing else: the process ends in here.
 */
export function guardian(factories: Factories = {}): void {
  if (process.env.PROCREF_GUARDIAN !== '1') {
    process.stderr.write(
      'procref: this file becomes the guardian of a procref directory; connect() starts it when it is given as guardianProgram\n',
    )
    process.exit(2)
  }
  const [, , first, ...rest] = process.argv
  if (first === LEAVE_ORPHAN) {
    leaveOrphan(rest)
    return
  }
  offerFactories(BUILT_IN)
  offerFactories(factories)
  runDetached<GuardianSetup, GuardianStatus>('guardian', runGuardian)
}
