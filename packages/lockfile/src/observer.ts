import { hasProvenlyEnded, readRecord } from './owner-record.ts'
import { newestOwner, recordOf } from './owners.ts'

export type Verdict = { readonly free: true; readonly next: number } | { readonly free: false }

/** How long one silence between two looks may count, as a part of the lease: whoever slept in between has seen nothing. */
const PART_OF_ONE_LOOK = 1 / 4

interface Silence {
  readonly number: number
  readonly beat: string
  readonly ms: number
  readonly lookedAt: number
}

/**
 * Judges whether the owner of a lock is there, by looking now and then.
 *
 * An owner is gone when it gave the lock back; when its process is proven dead; or when this observer has seen no new heartbeat for the
 * whole lease: by its own monotonic clock, in five looks at least, of which each counts for a quarter of the lease at most. No clock is
 * compared with a file's time, so that a clock that is set, or differs between machines, takes nobody's lock away; and a machine that slept,
 * or an observer that stood still, has to watch anew.
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
    if (free || this.#isGone(owners, number, beat)) {
      this.#silences.delete(owners)
      return { free: true, next: number + 1 }
    }
    return { free: false }
  }

  #isGone(owners: string, number: number, beat: string): boolean {
    const record = readRecord(recordOf(owners, number))
    if (record !== undefined && hasProvenlyEnded(record)) return true
    const leaseMs = record?.leaseMs ?? this.#leaseMs
    const ms = this.#silence(owners, number, beat, leaseMs)
    return ms >= leaseMs
  }

  /** For how long this observer has seen nothing new. */
  #silence(owners: string, number: number, beat: string, leaseMs: number): number {
    const now = this.#now()
    const before = this.#silences.get(owners)
    const same = before?.number === number && before.beat === beat
    const ms = same ? before.ms + Math.min(now - before.lookedAt, leaseMs * PART_OF_ONE_LOOK) : 0
    this.#silences.set(owners, { number, beat, ms, lookedAt: now })
    return ms
  }
}
