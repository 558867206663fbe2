import type { Service } from '../service.ts'
import { bareSdk } from './bare-sdk.ts'
import { embeddedFlock } from './embedded-flock.ts'
import { embeddedNative } from './embedded-native.ts'
import { executableFlock } from './executable-flock.ts'
import { executableNative } from './executable-native.ts'
import { inProcess } from './in-process.ts'
import { ownServer } from './own-server.ts'
import { reaper } from './reaper.ts'

/** In the order of the report. */
export const SERVICES: readonly Service[] = [
  executableNative,
  executableFlock,
  embeddedNative,
  embeddedFlock,
  bareSdk,
  reaper,
  ownServer,
  inProcess,
]
