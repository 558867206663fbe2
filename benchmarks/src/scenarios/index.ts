import type { Scenario } from '../scenario.ts'
import { uncontended } from './uncontended.ts'

/** In the order of the report. */
export const SCENARIOS: readonly Scenario[] = [uncontended]
