import { descriptorModule, fileSlots, type SlotBackend } from '@procref/core'
import { beatOf, checkLease, DEFAULT_LEASE_MS } from './lease.ts'
import { lockfileLocker } from './locker.ts'

export interface LockfileOptions {
  /** For how long a holder is believed without a heartbeat, in ms: 5,000 to 600,000, default 10,000. Each holder may have its own. */
  readonly leaseMs?: number
}

/** A look of a waiting claim, and a thread that gets its turn late. */
const SLACK_MS = 2_000

/**
 * Slots on lock files with heartbeats, in JavaScript alone: for places where neither `native()` nor `flock()` can be had.
 *
 * Guarantee: `guarantees` below. One holder a slot at a time, as long as holders beat: a dead one's slot is free at once where its
 * death can be proven (Linux, macOS: by pid, start time, boot and pid namespace), else when its lease has run out.
 * Not guaranteed: a holder that stands still for longer than its lease (SIGSTOP, a debugger) loses its slot. It is told by `slot.lost` as soon as it
 * goes on, and `slot.fence` is smaller than that of its successor.
 * Unspecified: which slot a claim gets.
 * Caller: nothing; constructing it starts nothing. The first claim starts a thread, which ends with the process.
 * Throws `TypeError` for a lease out of bounds.
 */
export function lockfile(options: LockfileOptions = {}): SlotBackend {
  const leaseMs = options.leaseMs ?? DEFAULT_LEASE_MS
  checkLease(leaseMs)
  return fileSlots({
    name: 'lockfile',
    locker: lockfileLocker(leaseMs),
    guarantees: {
      crashRelease: 'stale-timeout',
      maxRecoveryMs: leaseMs + beatOf(leaseMs) + SLACK_MS,
      scope: 'host',
      inheritableByChild: false,
      interoperatesWithSeed: false,
      platforms: ['linux', 'darwin', 'freebsd', 'openbsd', 'win32', 'aix', 'sunos'],
    },
    descriptor: {
      module: descriptorModule('@procref/lockfile', import.meta.url),
      factory: 'lockfile',
      options: { leaseMs },
    },
  })
}
