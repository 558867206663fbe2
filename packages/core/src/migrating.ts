import { join, resolve } from 'node:path'
import { ProcrefError } from './errors.ts'
import type { FileLocker } from './file-locker.ts'
import type { Guarantees } from './guarantees.ts'
import { descriptorModule } from './installed-module.ts'
import { weakerGuarantees } from './migrating-guarantees.ts'
import { bothLocks, isOneLock, locksHonouring } from './migrating-locks.ts'
import { MigratingPool } from './migrating-pool.ts'
import {
  checkNextFolder,
  checkSlots,
  DirectoryMovingError,
  nextSlotsFolder,
  PoolSizeMismatchError,
  ProtocolMismatchError,
  type ProtocolPin,
  readProtocolPin,
} from './protocol-pin.ts'
import { rebuildFromDescriptor } from './rebuild-from-descriptor.ts'
import {
  type BackendDescriptor,
  type Json,
  type OpenPoolOptions,
  type SlotBackend,
  type SlotPool,
  type Support,
  type SupportOptions,
  unsupported,
} from './slot-backend.ts'

/** 1: holds a slot of both; 2: claims in the new pool and honours the old one; 3: the new pool alone. */
export type MigrationPhase = 1 | 2 | 3

export interface Migration {
  readonly from: SlotBackend
  readonly to: SlotBackend
  readonly phase: MigrationPhase
}

/** So often the pin may change while a pool is opened: it is made once and moved once. */
const MAX_CHANGES = 8

const NAME_PREFIX = 'migrating:'

/** The two backends are two ways to do the same. */
export class NothingToMigrateError extends ProcrefError {
  constructor(from: string, to: string, protocol: string) {
    super(
      'PROCREF_NOTHING_TO_MIGRATE',
      `${from} and ${to} both speak the lock protocol "${protocol}" and exclude each other: put one in the place of the other, there is nothing to migrate.`,
    )
  }
}

/**
 * The way from one backend to another while programs run, in three phases (docs/migration.md). Each phase is a backend.
 *
 * Guarantee: processes of neighbouring phases (plain `from` and 1, 1 and 2, 2 and 3, 3 and plain `to` after `procref migrate`) in one
 * directory see each other: never more holders than slots, no slot thought free that is in use, one guardian. Phase 2 and 3 never wait
 * for the old pool. Once `procref migrate` has moved the directory every phase uses the new pool alone.
 * Unspecified: which slots a claim gets. In phase 1 a claim can be refused while another one, which is refused as well, gives back
 * the half that it had.
 * Caller: begin a phase only when nobody runs the one before its neighbour any more (no plain `from` beside phase 2: it would not see
 * who holds only a new slot). A guardian is of the phase of the program that launched it, for as long as it lives; `isSeenBy` tells. Where an old slot's holder died and it does not come back (a semaphore without repair), phase 1 is refused
 * once the old pool is full, on purpose: its plain users see nobody without an old slot. Phase 2 goes on.
 * Throws `NothingToMigrateError` for two backends of one protocol; phase 3 `ProtocolMismatchError` where phase 1 and 2 never were.
 */
export function migrating({ from, to, phase }: Migration): SlotBackend {
  const [old, next] = [protocolOf(from), protocolOf(to)]
  if (old === next) throw new NothingToMigrateError(from.name, to.name, old)
  if (phase !== 1 && phase !== 2 && phase !== 3) throw new TypeError(`phase must be 1, 2 or 3, not ${String(phase)}`)
  const name = `${NAME_PREFIX}${phase}:${from.name}:${to.name}`
  const processes = to.processes ?? from.processes
  return {
    name,
    protocol: phase === 3 ? next : old,
    guarantees: guaranteesOf({ from, to, phase }),
    descriptor: descriptorOf({ from, to, phase }),
    locks: locksOf({ from, to, phase }),
    ...(processes && { processes }),
    support: (dir, options = {}) => support({ from, to, phase }, resolve(dir), options),
    open: (dir, options = {}) => open({ from, to, phase }, name, resolve(dir), options),
  }
}

/** What `migrating()` names in its descriptor: rebuilds both backends, then itself. */
export async function rebuildMigrating(options: {
  readonly from: BackendDescriptor
  readonly to: BackendDescriptor
  readonly phase: MigrationPhase
}): Promise<SlotBackend> {
  const from = await rebuildFromDescriptor<SlotBackend>(options.from)
  const to = await rebuildFromDescriptor<SlotBackend>(options.to)
  return migrating({ from, to, phase: options.phase })
}

function protocolOf(backend: SlotBackend): string {
  return backend.protocol ?? backend.name
}

function guaranteesOf({ from, to, phase }: Migration): Guarantees {
  if (phase === 3) return to.guarantees
  const weaker = weakerGuarantees(from.guarantees, to.guarantees, { oneLock: isOneLock(from.locks, to.locks) })
  // A slot, and a lock, of phase 2 is one of the new world: what a child can inherit of it, and who is excluded by it.
  const { inheritableByChild, locksInheritableByChild = inheritableByChild, scope } = to.guarantees
  return phase === 1 ? weaker : { ...weaker, inheritableByChild, locksInheritableByChild, scope }
}

function locksOf({ from, to, phase }: Migration): FileLocker {
  // Locks of one kind exclude each other already: taking both, the second one would be refused because of the first.
  if (phase === 3 || isOneLock(from.locks, to.locks)) return to.locks
  return phase === 1 ? bothLocks(from.locks, to.locks) : locksHonouring(from.locks, to.locks)
}

function descriptorOf({ from, to, phase }: Migration): BackendDescriptor {
  const options = { from: toJson(from.descriptor), to: toJson(to.descriptor), phase }
  return { module: descriptorModule('@procref/core', import.meta.url), factory: 'rebuildMigrating', options }
}

function toJson({ module, factory, options }: BackendDescriptor): Json {
  return { module, factory, options }
}

/**
 * Where the slots of both worlds are. While the directory is pinned to `from`, the new slots are in the folder that `moveSlots()` will
 * name in the pin, so that moving is the replacement of that one file: who holds a new slot holds it before and after.
 */
type Place =
  | { readonly kind: 'new alone'; readonly dir: string }
  | { readonly kind: 'both'; readonly dir: string; readonly pin: ProtocolPin | undefined }

function placeOf({ from, to, phase }: Migration, dir: string): Place {
  const pin = readProtocolPin(dir)
  if (pin?.moving !== undefined) throw new DirectoryMovingError(dir, pin.protocol, pin.moving.to)
  if (pin?.protocol === protocolOf(to)) return { kind: 'new alone', dir }
  if (pin !== undefined && pin.protocol !== protocolOf(from)) {
    throw new ProtocolMismatchError(dir, pin.protocol, protocolOf(phase === 3 ? to : from))
  }
  if (pin === undefined && phase === 3) return { kind: 'new alone', dir }
  const place = join(dir, nextSlotsFolder(pin ?? {}))
  checkNextFolder(place, protocolOf(to))
  // Nobody has ever claimed a new slot here: whoever uses the directory is of the old world, and phase 3 would not see them.
  if (phase === 3 && readProtocolPin(place) === undefined) {
    throw new ProtocolMismatchError(dir, protocolOf(from), protocolOf(to))
  }
  return { kind: 'both', dir: place, pin }
}

async function support(migration: Migration, dir: string, options: SupportOptions): Promise<Support> {
  const { from, to, phase } = migration
  let place: Place
  try {
    place = placeOf(migration, dir)
  } catch (error) {
    return unsupported(error)
  }
  if (place.kind === 'new alone') return await to.support(dir, options)
  if (phase !== 3) {
    const old = await from.support(dir, options)
    if (!old.supported) return old
  }
  return await to.support(place.dir, options)
}

async function open(migration: Migration, name: string, dir: string, options: OpenPoolOptions): Promise<SlotPool> {
  // Somebody may make the pin, or move it, between our look and what follows from it.
  for (let changes = 0; ; changes++) {
    const place = placeOf(migration, dir)
    try {
      const pool = await openAt(migration, name, dir, place, options)
      let keep = false
      try {
        keep = isStill(migration, dir, place)
        if (keep) return pool
      } finally {
        // Also where it cannot be told, or the directory is being moved: then nobody gets the pool.
        if (!keep) await pool.close()
      }
    } catch (error) {
      if (!(error instanceof ProtocolMismatchError) || changes >= MAX_CHANGES) throw error
      if (isStill(migration, dir, place)) throw error
    }
  }
}

function isStill(migration: Migration, dir: string, place: Place): boolean {
  const now = placeOf(migration, dir)
  return now.kind === place.kind && now.dir === place.dir
}

async function openAt(
  { from, to, phase }: Migration,
  backend: string,
  dir: string,
  place: Place,
  options: OpenPoolOptions,
): Promise<SlotPool> {
  if (place.kind === 'new alone') {
    return new MigratingPool({ dir, backend, next: await to.open(dir, options), claimsBoth: false })
  }
  if (phase === 3) {
    const slots = sizeOf(dir, place.pin, options)
    const next = await to.open(place.dir, { ...options, slots })
    return new MigratingPool({ dir, backend, next, claimsBoth: false, isSeenBy: isPhase })
  }
  const old = await from.open(dir, options)
  try {
    const next = await to.open(place.dir, { ...options, slots: old.size })
    return phase === 1
      ? new MigratingPool({ dir, backend, old, next, claimsBoth: true })
      : new MigratingPool({ dir, backend, old, next, claimsBoth: false, isSeenBy: isPhase })
  } catch (error) {
    await old.close()
    throw error
  }
}

/** Every phase looks at the new slots; a plain user of the old backend does not know that there are any. */
function isPhase(backend: string): boolean {
  return backend.startsWith(NAME_PREFIX)
}

/** As many new slots as there are old ones. */
function sizeOf(dir: string, pin: ProtocolPin | undefined, { slots }: OpenPoolOptions): number {
  if (pin === undefined) throw new Error(`unreachable: ${dir} has no pin`)
  checkSlots(slots)
  if (slots !== undefined && slots !== pin.slots) throw new PoolSizeMismatchError(dir, pin.slots, slots)
  return pin.slots
}
