/**
 * The keeper's program. Usage: `node main.js <KeeperSetup as JSON>`, descriptor 3 = status pipe, output = server.log.
 * Started by launcher.js only.
 */
import { statusReporter } from '../detached/status.ts'
import { runKeeper } from './keeper.ts'
import type { KeeperSetup, KeeperStatus } from './setup.ts'

const { report, leave } = statusReporter<KeeperStatus>('keeper')
const told = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.on(signal, () => told.abort(new Error(`the keeper received ${signal}`)))
}
process.on('uncaughtException', leave)
process.on('unhandledRejection', leave)

const setup = JSON.parse(process.argv[2] ?? '') as KeeperSetup
process.title = `procref keeper ${setup.dir}`
runKeeper(setup, told.signal, report).then(() => process.exit(0), leave)
