import { embeddedSurreal } from '@procref/embedded'
import type { Service } from '../service.ts'
import { clientCommand } from './client-command.ts'
import { INSTALL_ENGINE, missing, versionOf } from './driver-here.ts'
import { whenNothingRuns } from './processes-of.ts'

const NO_SERVER = 'there is no server: the engine is in the process that uses it'

/** What people do today who have no server: nothing is shared, and a second process finds the database locked. */
export const inProcess: Service = {
  name: 'in-process',
  title: 'One SurrealDB per process',
  summary:
    'the official SDK with the engine in its own process (`@surrealdb/node`) and a database that no other process can open',
  kind: 'peer',
  engine: 'in-process',
  shared: false,
  lacks: { join: NO_SERVER, stop: NO_SERVER, restart: NO_SERVER },
  unavailable: () => missing(embeddedSurreal(), INSTALL_ENGINE),
  version: () => versionOf(embeddedSurreal()),
  async open(dir, settings) {
    return {
      client: clientCommand('in-process', dir, settings),
      lingerMs: 0,
      stopBeganAt: () => undefined,
      [Symbol.asyncDispose]: () => whenNothingRuns(dir),
    }
  },
}
