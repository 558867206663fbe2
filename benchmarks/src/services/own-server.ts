import { surrealBinary } from '@procref/lifecycle'
import type { Service } from '../service.ts'
import { clientCommand } from './client-command.ts'
import { executableMissing, versionOf } from './driver-here.ts'
import { whenNothingRuns } from './processes-of.ts'
import { readStopNote } from './stop-note.ts'

/** As test suites have it with mongodb-memory-server, for SurrealDB. */
export const ownServer: Service = {
  name: 'own-server',
  title: 'A server for each process',
  summary:
    'as mongodb-memory-server: each process starts a `surreal` of its own, and a watcher that looks every second whether to end it',
  kind: 'peer',
  engine: 'executable',
  shared: false,
  lacks: {
    join: 'each process starts a server of its own',
    restart: 'nobody replaces a server that died',
  },
  unavailable: executableMissing,
  version: () => versionOf(surrealBinary()),
  async open(dir, settings) {
    return {
      client: clientCommand('own-server', dir, settings),
      lingerMs: 0,
      stopBeganAt: () => readStopNote(dir),
      [Symbol.asyncDispose]: () => whenNothingRuns(dir),
    }
  },
}
