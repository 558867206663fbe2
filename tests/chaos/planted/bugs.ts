import { HARM } from './harm.ts'
import { LEFT_BEHIND } from './left-behind.ts'
import type { PlantedBug } from './planted-bug.ts'
import { UNDER_LEASES } from './under-leases.ts'
import { WITHOUT_ANSWER } from './without-answer.ts'

/** What the chaos has to find: each breaks one rule, and nothing else. */
export const BUGS: readonly PlantedBug[] = [...UNDER_LEASES, ...WITHOUT_ANSWER, ...LEFT_BEHIND, ...HARM]
