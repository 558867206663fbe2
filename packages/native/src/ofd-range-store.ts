import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  errnoOf,
  FileAccessError,
  FreedSlots,
  leadsElsewhere,
  ProcrefError,
  parseRecord,
  SlotFileUnstableError,
  type SlotInfo,
  SlotProbedError,
  type SlotStore,
  type StorePlace,
  type TakenSlot,
  translateErrno,
  type UsedSlot,
} from '@procref/core'
import type { NativeBinding } from './binding.ts'
import { kernelWaits } from './kernel-waits.ts'
import { calling } from './native-error.ts'

const NONE = -1
const UNPROVEN = -2
/** See `Token` in `crates/locks/src/ofd_range`. */
const SLOT_MASK = 0x1ffff

/** So long nothing but waits that were granted a slot for a moment can keep a claimer from a decision; then it says so. */
const UNPROVEN_FOR_MS = 1000
const FIRST_PAUSE_MS = 2
const LONGEST_PAUSE_MS = 20
/** After so many files the event loop gets a turn: a few milliseconds of system calls. */
const SHARDS_PER_TURN = 32
/** Where the kernel wakes us for every slot, only a deleted or replaced file is left to be found. */
const SAFETY_NET_MS = 1000
/** Else a claimer that waits looks again so often, and more seldom where a look takes longer. */
const POLL_MS = 200
const POLL_MS_A_SHARD = 2

/** Trouble with one file: the slots in others may do. (A full disk keeps us only from making a new file.) */
const ONE_SHARD_ERRNOS: ReadonlySet<string | undefined> = new Set([
  'EACCES',
  'EPERM',
  'ELOOP',
  'EISDIR',
  'ENXIO',
  'ENODEV',
  'EOPNOTSUPP',
  'ENOSPC',
  'EDQUOT',
])

/**
 * Slots that are bytes of `ofd_NNNN.lock`; see docs/slot-directory.md, "Ranges".
 *
 * The usual claim is one native call, which tries what is probably free. Only when that finds nothing the locks of all slots are looked
 * at, file by file, and only they can say that every slot is held.
 */
export class OfdRangeStore implements SlotStore {
  readonly lookAgainMs: number
  readonly #native: NativeBinding
  readonly #place: StorePlace
  readonly #pool: number
  readonly #shards: readonly number[]
  readonly #paths: readonly string[]
  readonly #freed: FreedSlots<number, TakenSlot>

  constructor(native: NativeBinding, place: StorePlace) {
    this.#native = native
    this.#place = place
    this.#pool = openPool(native, place)
    const count = Math.ceil(place.slots / slotsAFile(native))
    this.#shards = Array.from({ length: count }, (_, shard) => shard)
    this.#paths = this.#shards.map((shard) => join(place.dir, `ofd_${String(shard).padStart(4, '0')}.lock`))
    this.#freed = new FreedSlots({
      size: place.slots,
      lockWhenFree: (slot, { signal }) => this.#lockWhenFree(slot, signal),
      accept: (slot, descriptor) => this.#adopt(slot, descriptor),
      release: (descriptor) => void native.close(descriptor),
    })
    this.lookAgainMs = this.#freed.coversAll ? SAFETY_NET_MS : POLL_MS + count * POLL_MS_A_SHARD
  }

  takeFree(signal: AbortSignal): TakenSlot | Promise<TakenSlot | undefined> {
    const token = this.#native.ofdTryClaim(this.#pool)
    return token === NONE ? this.#scanRestored(signal) : this.#taken(token)
  }

  takeWhenFree(options: { readonly signal: AbortSignal }): Promise<TakenSlot> {
    return this.#freed.take(options.signal)
  }

  used(): Iterable<UsedSlot> {
    return this.#usedIn(this.#pool)
  }

  glance(): readonly SlotInfo[] {
    // Through a pool of its own, so that nothing stays open.
    const pool = openPool(this.#native, this.#place)
    try {
      return [...this.#usedIn(pool)].map((used) => used.info())
    } finally {
      this.#native.ofdClose(pool)
    }
  }

  async whenUnused({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    for (const shard of this.#knownFirst(this.#pool)) {
      const path = this.#path(shard)
      const start = (listener: number): number => this.#native.ofdStartUnusedWait(listener, this.#pool, shard)
      if (this.#used(this.#pool, shard).length > 0) await kernelWaits(this.#native).run(path, start, signal)
    }
  }

  close(): void {
    this.#native.ofdClose(this.#pool)
  }

  #taken(token: number): TakenSlot {
    return new OfdSlot(this.#native, this.#pool, token, this.#pathOf(token))
  }

  /** A deleted directory is made anew, pin and all: whoever held a slot in the old one finds out by `verify()`. */
  async #scanRestored(signal: AbortSignal): Promise<TakenSlot | undefined> {
    try {
      return await this.#scan(signal)
    } catch (error) {
      const errno = error instanceof FileAccessError ? error.errno : undefined
      if (errno !== 'ENOENT' && errno !== 'ELOOP') throw error
      // A link is what `moveSlots()` leaves in the place of a file: then this says where the slots are now.
      this.#place.restoreDirectory()
      if (errno === 'ELOOP') throw error
      return await this.#scan(signal)
    }
  }

  async #scan(signal: AbortSignal): Promise<TakenSlot | undefined> {
    const giveUpAt = performance.now() + UNPROVEN_FOR_MS
    const first = Math.floor(Math.random() * this.#shards.length)
    let shards: readonly number[] = [...this.#shards.slice(first), ...this.#shards.slice(0, first)]
    const faults: unknown[] = []
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
      const unproven: number[] = []
      for (const [n, shard] of shards.entries()) {
        if (n % SHARDS_PER_TURN === SHARDS_PER_TURN - 1) await turn(signal)
        const token = this.#scanShard(shard, faults)
        if (token === UNPROVEN) unproven.push(shard)
        else if (token !== NONE) return this.#taken(token)
      }
      this.#native.ofdRefreshHints(this.#pool)
      if (unproven.length === 0) {
        // A slot that could not be looked at was not proven to be held.
        if (faults.length > 0) throw faults[0]
        return undefined
      }
      if (performance.now() >= giveUpAt) throw this.#notProven(unproven)
      await sleep(pause * (0.5 + Math.random() / 2))
      signal.throwIfAborted()
      shards = unproven
    }
  }

  #scanShard(shard: number, faults: unknown[]): number {
    const path = this.#path(shard)
    try {
      return calling(path, () => this.#native.ofdScan(this.#pool, shard))
    } catch (error) {
      const errno = errnoOf(error)
      if (errno === 'ESTALE') throw new SlotFileUnstableError(path)
      const fault = translateErrno(error, 'claim a slot in', path)
      if (!(error instanceof ProcrefError || ONE_SHARD_ERRNOS.has(errno))) throw fault
      faults.push(fault)
      return NONE
    }
  }

  #notProven(shards: readonly number[]): SlotProbedError {
    const size = slotsAFile(this.#native)
    return new SlotProbedError(
      this.#place.dir,
      shards.map((shard) => shard * size),
      UNPROVEN_FOR_MS,
    )
  }

  *#usedIn(pool: number): Generator<UsedSlot, void, void> {
    for (const shard of this.#knownFirst(pool)) {
      let tokens: readonly number[]
      try {
        tokens = this.#used(pool, shard)
      } catch (error) {
        yield* this.#unknown(shard, error)
        continue
      }
      for (const token of tokens) yield { slot: slotOf(token), info: () => this.#info(pool, token) }
    }
  }

  /** Those in which somebody was seen first: while one of them is still there, one look tells. */
  #knownFirst(pool: number): readonly number[] {
    const known = this.#shards.filter((shard) => this.#native.ofdIsOpen(pool, shard))
    return [...new Set([...known, ...this.#shards])]
  }

  #used(pool: number, shard: number): readonly number[] {
    return calling(this.#path(shard), () => this.#native.ofdUsed(pool, shard))
  }

  /** None of the shard's slots could be looked at, so all of them count. */
  *#unknown(shard: number, error: unknown): Generator<UsedSlot, void, void> {
    const path = this.#path(shard)
    const fault = translateErrno(error, 'look at the locks of', path)
    const size = slotsAFile(this.#native)
    const end = Math.min((shard + 1) * size, this.#place.slots)
    for (let slot = shard * size; slot < end; slot++) yield { slot, error: fault, info: () => ({ slot, path }) }
  }

  #info(pool: number, token: number): SlotInfo {
    const path = this.#pathOf(token)
    return { slot: slotOf(token), path, ...parseRecord(readRecord(this.#native, pool, token)) }
  }

  #lockWhenFree(slot: number, signal: AbortSignal): Promise<number> {
    const start = (listener: number): number => this.#native.ofdStartSlotWait(listener, this.#pool, slot)
    return kernelWaits(this.#native).run(this.#pathOf(slot), start, signal)
  }

  #adopt(slot: number, descriptor: number): TakenSlot | undefined {
    const token = calling(this.#pathOf(slot), () => this.#native.ofdAdopt(this.#pool, descriptor, slot))
    return token === NONE ? undefined : this.#taken(token)
  }

  #pathOf(token: number): string {
    return this.#path(Math.floor(slotOf(token) / slotsAFile(this.#native)))
  }

  #path(shard: number): string {
    return this.#paths[shard] ?? this.#place.dir
  }
}

class OfdSlot implements TakenSlot {
  readonly id: number
  readonly path: string
  readonly #native: NativeBinding
  readonly #pool: number
  readonly #token: number

  constructor(native: NativeBinding, pool: number, token: number, path: string) {
    this.id = slotOf(token)
    this.path = path
    this.#native = native
    this.#pool = pool
    this.#token = token
  }

  whyLost(): string | undefined {
    const file = { path: this.path, isCurrent: () => this.#native.ofdIsCurrent(this.#pool, this.#token) }
    return leadsElsewhere(file) ? `${this.path} was deleted or replaced` : undefined
  }

  release(): void {
    this.#native.ofdRelease(this.#pool, this.#token)
  }
}

function openPool(native: NativeBinding, { dir, slots, record }: StorePlace): number {
  // Everybody starts somewhere else, or all would queue through the slots that are taken already.
  const first = Math.floor(Math.random() * slots)
  return calling(dir, () => native.ofdOpen(dir, slots, record, first))
}

function slotsAFile(native: NativeBinding): number {
  // Present where there is an `ofdOpen` at all; see `ofdRange().check`.
  return native.OFD_SLOTS_A_FILE ?? 1
}

function slotOf(token: number): number {
  return token & SLOT_MASK
}

/** A label only: whatever keeps the system from reading it, the holder is nameless. */
function readRecord(native: NativeBinding, pool: number, token: number): Uint8Array {
  try {
    return calling('', () => native.ofdReadRecord(pool, token))
  } catch (error) {
    if (errnoOf(error) !== undefined) return new Uint8Array()
    throw error
  }
}

/** Lets the event loop do other work. */
async function turn(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  signal.throwIfAborted()
}
