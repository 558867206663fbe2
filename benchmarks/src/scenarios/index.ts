import type { Scenario } from '../scenario.ts'
import { atRest } from './at-rest.ts'
import { bulk } from './bulk.ts'
import { coldConnect } from './cold-connect.ts'
import { contended } from './contended.ts'
import { firstConnects } from './first-connects.ts'
import { fullness } from './fullness.ts'
import { growingClients } from './growing-clients.ts'
import { growingDatabase } from './growing-database.ts'
import { herd } from './herd.ts'
import { killedHolder } from './killed-holder.ts'
import { lastClientKilled } from './last-client-killed.ts'
import { locksOfOneFile } from './locks-of-one-file.ts'
import { nearFull } from './near-full.ts'
import { restart } from './restart.ts'
import { slots } from './slots.ts'
import { smallQueries } from './small-queries.ts'
import { uncontended } from './uncontended.ts'
import { warmConnect } from './warm-connect.ts'

/** In the order of the report. */
export const SCENARIOS: readonly Scenario[] = [
  uncontended,
  contended,
  fullness,
  slots,
  nearFull,
  locksOfOneFile,
  killedHolder,
  herd,
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
