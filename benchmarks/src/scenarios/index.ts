import type { Scenario } from '../scenario.ts'
import { atRest } from './at-rest.ts'
import { bulk } from './bulk.ts'
import { coldConnect } from './cold-connect.ts'
import { firstConnects } from './first-connects.ts'
import { growingClients } from './growing-clients.ts'
import { growingDatabase } from './growing-database.ts'
import { lastClientKilled } from './last-client-killed.ts'
import { restart } from './restart.ts'
import { smallQueries } from './small-queries.ts'
import { uncontended } from './uncontended.ts'
import { warmConnect } from './warm-connect.ts'

/** In the order of the report. */
export const SCENARIOS: readonly Scenario[] = [
  uncontended,
  coldConnect,
  warmConnect,
  firstConnects,
  lastClientKilled,
  restart,
  atRest,
  smallQueries,
  growingClients,
  growingDatabase,
  bulk,
]
