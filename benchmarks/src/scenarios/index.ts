import type { Scenario } from '../scenario.ts'
import { contended } from './contended.ts'
import { fullness } from './fullness.ts'
import { uncontended } from './uncontended.ts'

/** In the order of the report. */
export const SCENARIOS: readonly Scenario[] = [uncontended, contended, fullness]
