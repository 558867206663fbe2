import { descriptorModule, type SlotBackend, SlotTableStore, storeSlots } from '@procref/core'
import { native, PermitTable } from '@procref/native'
import { PermitTables } from './permit-tables.ts'

/** `MAX_SLOTS` of the table. */
const MAX_SLOTS = 10_000
const DEFAULT_SCAN_MS = 200
/** Measured with 20 processes on two cores: docs/hybrid.md. */
const REPAIR_TAKES_MS = 800

export interface HybridOptions {
  /**
   * How often the watchdog looks for those that died. Default: 200. It is one of the processes and goes by its own number, so all who use
   * a directory should name the same; else `maxRecoveryMs` is that of the slowest.
   */
  readonly scanMs?: number
}

/**
 * Slots as permits of a POSIX semaphore, with a registry of who has which and a watchdog that gives back those of the dead: the
 * alternative that the seed names, made exact (docs/hybrid.md).
 *
 * Guarantee: `guarantees` below. Never more holders than slots; a repair never makes a permit too many.
 * Unspecified: which slot a claim gets.
 * Caller: all who use the directory are in one PID namespace and see one /dev/shm; others are refused. Nobody may truncate
 * `hybrid.table` while it is used. Choose `native()` unless claims and releases have to be fast above all.
 */
export function hybrid(options: HybridOptions = {}): SlotBackend {
  const { scanMs = DEFAULT_SCAN_MS } = options
  if (!Number.isInteger(scanMs) || scanMs < 1 || scanMs > 3_600_000) {
    throw new TypeError(`scanMs must be an integer from 1 to 3,600,000, not ${String(scanMs)}`)
  }
  const { locks, processes } = native()
  return storeSlots({
    name: 'hybrid',
    locks,
    ...(processes && { processes }),
    maxSlots: MAX_SLOTS,
    check: () => PermitTable.check('hybrid'),
    openStore: (place) => new SlotTableStore(place, new PermitTables(place, scanMs), locks),
    guarantees: {
      crashRelease: 'watchdog',
      maxRecoveryMs: scanMs + REPAIR_TAKES_MS,
      scope: 'pid-namespace',
      inheritableByChild: false,
      // They are flock(2) on files, as those of native().
      locksInheritableByChild: true,
      interoperatesWithSeed: false,
      platforms: ['linux'],
    },
    descriptor: {
      module: descriptorModule('@procref/hybrid', import.meta.url),
      factory: 'hybrid',
      options: { scanMs },
    },
  })
}
