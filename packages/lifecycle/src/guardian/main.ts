/**
 * The guardian's program. Usage: `node main.js <GuardianSetup as JSON>`, descriptor 3 = status pipe, output = server.log.
 * Started by launcher.js only.
 */
import { offerFactories } from '@procref/core'
import { runDetached } from '../detached/program.ts'
import { BUILT_IN } from './built-in.ts'
import { runGuardian } from './guardian.ts'
import type { GuardianSetup, GuardianStatus } from './setup.ts'

// The record of a bundle's guardian may have to be carried on.
offerFactories(BUILT_IN)
runDetached<GuardianSetup, GuardianStatus>('guardian', runGuardian)
