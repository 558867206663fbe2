import type { Scenario } from '../scenario.ts'
import { atRest } from './at-rest.ts'
import { bulk } from './bulk.ts'
import { coldConnect } from './cold-connect.ts'
import { contended } from './contended.ts'
import { firstConnects } from './first-connects.ts'
import { fullness } from './fullness.ts'
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
  contended,
  fullness,
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
