/**
 * The keeper's program. Usage: `node main.js <KeeperSetup as JSON>`, descriptor 3 = status pipe, output = server.log.
 * Started by launcher.js only.
 */
import { runDetached } from '../detached/program.ts'
import { runKeeper } from './keeper.ts'
import type { KeeperSetup, KeeperStatus } from './setup.ts'

runDetached<KeeperSetup, KeeperStatus>('keeper', runKeeper)
