import type { Scenario } from '../scenario.ts'
import { contended } from './contended.ts'
import { fullness } from './fullness.ts'
import { herd } from './herd.ts'
import { killedHolder } from './killed-holder.ts'
import { locksOfOneFile } from './locks-of-one-file.ts'
import { nearFull } from './near-full.ts'
import { slots } from './slots.ts'
import { uncontended } from './uncontended.ts'

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
]
