/**
 * The guardian's program. Usage: `node main.js <GuardianSetup as JSON>`, descriptor 3 = status pipe, output = server.log.
 * Started by launcher.js only.
 */
import { statusReporter } from '../detached/status.ts'
import { runGuardian } from './guardian.ts'
import type { GuardianSetup, GuardianStatus } from './setup.ts'

const { report, leave } = statusReporter<GuardianStatus>('guardian')
const told = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.on(signal, () => told.abort(new Error(`the guardian received ${signal}`)))
}
process.on('uncaughtException', leave)
process.on('unhandledRejection', leave)

const setup = JSON.parse(process.argv[2] ?? '') as GuardianSetup
process.title = `procref guardian ${setup.dir}`
// process.exit, not a natural end: an engine's threads can keep the process, and its death is what frees the locks.
runGuardian(setup, told.signal, report).then(() => process.exit(0), leave)
