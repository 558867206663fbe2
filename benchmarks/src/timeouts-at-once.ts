import type { Scale } from './results.ts'
import type { UsableSubject } from './scenario.ts'

/** For whoever has little time: seconds in which a subject waits, and needs next to nothing of the machine, are spent with all such subjects. */
const AT_ONCE: Readonly<Record<Scale, boolean>> = { guard: true, quick: true, full: false }

/** Whether a subject is measured at the same time as others like it, where holders are killed; and a sentence for the method. */
export function timeoutsAtOnce(scale: Scale): {
  readonly atOnce: (usable: UsableSubject) => boolean
  readonly told: string
} {
  if (!AT_ONCE[scale]) return { atOnce: () => false, told: '' }
  return {
    atOnce: ({ subject }) => subject.freedByTimeout === true,
    told: ' Those whose killed holders keep their permit until a time has run out wait for that at the same time.',
  }
}
