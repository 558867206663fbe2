import type { SlotInfo } from './slot-backend.ts'

/**
 * Who holds a slot of either pool, each once: the holders in `next`, and those in `old` that have no slot in `next`.
 *
 * That two entries are one holder is told by what it wrote: the same pid, and the same start where both say one. One that says nothing is
 * taken for a holder of its own, so that mistakes count somebody twice rather than not at all. Of each entry in `next` there is
 * at most one in `old`.
 */
export function holdersOfEither(old: readonly SlotInfo[], next: readonly SlotInfo[]): SlotInfo[] {
  const unmatched = [...next]
  const onlyOld: SlotInfo[] = []
  for (const holder of old) {
    const at = unmatched.findIndex((other) => isOneHolder(holder, other))
    if (at === -1) onlyOld.push(holder)
    else unmatched.splice(at, 1)
  }
  return [...next, ...onlyOld]
}

function isOneHolder(a: SlotInfo, b: SlotInfo): boolean {
  if (a.pid === undefined || a.pid !== b.pid) return false
  return a.startedAt === undefined || b.startedAt === undefined || a.startedAt === b.startedAt
}
