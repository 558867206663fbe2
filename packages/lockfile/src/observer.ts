import { hasProvenlyEnded, type OwnerRecord, readRecord } from './owner-record.ts'
import { newestOwner, recordOf } from './owners.ts'

export type Verdict = { readonly free: true; readonly next: number } | { readonly free: false }

/** How long one silence between two looks may count, as a part of the lease: whoever slept in between has seen nothing. */
const PART_OF_ONE_LOOK = 1 / 4

interface Silence {
  readonly number: number
  readonly beat: string
  readonly record: OwnerRecord | undefined
  readonly ms: number
  readonly lookedAt: number
}

/**
 * Judges whether the owner of a lock is there, by looking now and then.
 *
 * An owner is gone when it gave the lock back; when its process is proven dead; or when this observer has seen no new heartbeat for the
 * whole lease: by its own monotonic clock, in five looks at least, of which each counts for a quarter of the lease at most. No clock is
 * compared with a file's time, so that a clock that is set, or differs between machines, takes nobody's lock away; and a machine that slept,
 * or an observer that stood still, has to watch anew. Records that were deleted are a silence too: their owner, if this observer has seen
 * it, is gone when its process is, or after the lease.
 */
export class Observer {
  readonly #leaseMs: number
  readonly #now: () => number
  readonly #silences = new Map<string, Silence>()

  /** `leaseMs` is for owners that do not say theirs. */
  constructor(leaseMs: number, now: () => number = () => performance.now()) {
    this.#leaseMs = leaseMs
    this.#now = now
  }

  judge(owners: string): Verdict {
    const { number, free, beat } = newestOwner(owners)
    const before = this.#silences.get(owners)
    const deleted = number === 0 && before !== undefined
    if (!deleted && free) return this.#free(owners, number)
    const silence = deleted
      ? this.#longer(before)
      : this.#listen({ number, beat, record: readRecord(recordOf(owners, number)) }, before)
    if (this.#isGone(silence)) return this.#free(owners, number)
    this.#silences.set(owners, silence)
    return { free: false }
  }

  #free(owners: string, number: number): Verdict {
    this.#silences.delete(owners)
    return { free: true, next: number + 1 }
  }

  #isGone({ record, ms }: Silence): boolean {
    return (record !== undefined && hasProvenlyEnded(record)) || ms >= this.#leaseOf(record)
  }

  #listen(now: Pick<Silence, 'number' | 'beat' | 'record'>, before: Silence | undefined): Silence {
    const same = before?.number === now.number && before.beat === now.beat
    return same ? this.#longer({ ...before, record: now.record }) : { ...now, ms: 0, lookedAt: this.#now() }
  }

  /** The same once more: for how long this observer has seen nothing new. */
  #longer(silence: Silence): Silence {
    const now = this.#now()
    const ms = Math.min(now - silence.lookedAt, this.#leaseOf(silence.record) * PART_OF_ONE_LOOK)
    return { ...silence, ms: silence.ms + ms, lookedAt: now }
  }

  #leaseOf(record: OwnerRecord | undefined): number {
    return record?.leaseMs ?? this.#leaseMs
  }
}
