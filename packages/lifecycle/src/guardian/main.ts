/**
 * The guardian's program. Usage: `node main.js <GuardianSetup as JSON>`, descriptor 3 = status pipe, output = server.log.
 * Started by launcher.js only.
 */
import { runDetached } from '../detached/program.ts'
import { runGuardian } from './guardian.ts'
import type { GuardianSetup, GuardianStatus } from './setup.ts'

runDetached<GuardianSetup, GuardianStatus>('guardian', runGuardian)
