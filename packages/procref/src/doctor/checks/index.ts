import type { Check } from '../check.ts'
import { directory } from './directory.ts'
import { filesystem } from './filesystem.ts'
import { node } from './node.ts'
import { parents } from './parents.ts'
import { protocol } from './protocol.ts'
import { slots } from './slots.ts'

/** Every check, in the order in which it is shown: the place, the slots, the service, the data, the machine. */
export const CHECKS: readonly Check[] = [directory, parents, filesystem, protocol, slots, node]
