import { type Claimed, claimFreeSlot, NONE_TRIED, type NotClaimed, trySlot } from './claim.ts'
import { FileAccessError } from './errno.ts'
import type { FileLock } from './file-locker.ts'
import { FreedSlots } from './freed-slots.ts'
import { leadsElsewhere } from './leads-elsewhere.ts'
import type { SlotInfo } from './slot-backend.ts'
import { adoptSlot, type SlotFiles } from './slot-files.ts'
import type { SlotStore, TakenSlot, UsedSlot } from './slot-store.ts'
import { SlotWatches } from './slot-watches.ts'
import type { SystemCalls } from './system-calls.ts'

/** Without the kernel's help a claimer looks again so often; a look at a hundred slots takes half a millisecond. */
const POLL_MS = 200
/** Where the kernel wakes us for every slot, only a deleted or replaced file is left to be found. */
const SAFETY_NET_MS = 1000

/** Slots that are files; see docs/slot-directory.md for the protocol. */
export class FileSlotStore implements SlotStore {
  readonly lookAgainMs: number
  readonly takeWhenFree?: (options: { readonly signal: AbortSignal }) => Promise<TakenSlot>
  readonly #files: SlotFiles
  readonly #restoreDirectory: () => void
  readonly #watches: SlotWatches
  readonly #released = (slot: number): void => {
    // Where the next claim starts: probably still free, and its file warm.
    this.#start = slot
  }
  #start: number

  /** `restoreDirectory` makes the directory and its pin anew after somebody deleted them. */
  constructor(files: SlotFiles, restoreDirectory: () => void) {
    this.#files = files
    this.#restoreDirectory = restoreDirectory
    this.#watches = new SlotWatches(files.dir, files.locker, files.system)
    // Everybody starts somewhere else, or all would queue through the slots that are taken already.
    this.#start = Math.floor(Math.random() * files.size)
    const freed = freedFiles(files)
    this.lookAgainMs = freed?.coversAll === true ? SAFETY_NET_MS : POLL_MS
    if (freed !== undefined) {
      this.takeWhenFree = async (options) => this.#taken(await freed.take(options.signal))
    }
  }

  takeFree(signal: AbortSignal): TakenSlot | Promise<TakenSlot | undefined> {
    const start = this.#start
    try {
      const first = trySlot(this.#files, start)
      return 'lock' in first ? this.#taken(first) : this.#takeAnother(first, start, signal)
    } catch (error) {
      return this.#takeInRestored(error, start, signal)
    }
  }

  used(): Iterable<UsedSlot> {
    return this.#watches.used()
  }

  glance(): readonly SlotInfo[] {
    const watches = new SlotWatches(this.#files.dir, this.#files.locker, this.#files.system)
    try {
      return [...watches.used()].map((used) => used.info()).sort((a, b) => a.slot - b.slot)
    } finally {
      watches.close()
    }
  }

  close(): void {
    this.#watches.close()
  }

  #taken({ slot, lock }: Claimed): TakenSlot {
    // The next claim starts behind this slot: else a process that claims many would first try all that it holds itself.
    this.#start = (slot + 1) % this.#files.size
    return new TakenFileSlot(slot, lock, this.#files.system, this.#released)
  }

  async #takeAnother(first: NotClaimed, start: number, signal: AbortSignal): Promise<TakenSlot | undefined> {
    try {
      return this.#takenIfAny(await claimFreeSlot(this.#files, first, start, signal))
    } catch (error) {
      return await this.#takeInRestored(error, start, signal)
    }
  }

  /** A deleted directory is made anew, pin and all: whoever held a slot in the old one finds out by `verify()`. */
  async #takeInRestored(error: unknown, start: number, signal: AbortSignal): Promise<TakenSlot | undefined> {
    if (!isNotFound(error) && !isLink(error)) throw error
    // A link is what `moveSlots()` leaves in the place of a slot file: then this says where the slots are now.
    this.#restoreDirectory()
    if (isLink(error)) throw error
    return this.#takenIfAny(await claimFreeSlot(this.#files, NONE_TRIED, start, signal))
  }

  #takenIfAny(claimed: Claimed | undefined): TakenSlot | undefined {
    return claimed === undefined ? undefined : this.#taken(claimed)
  }
}

class TakenFileSlot implements TakenSlot {
  readonly id: number
  readonly #lock: FileLock
  readonly #system: SystemCalls
  readonly #released: (slot: number) => void

  constructor(id: number, lock: FileLock, system: SystemCalls, released: (slot: number) => void) {
    this.id = id
    this.#lock = lock
    this.#system = system
    this.#released = released
  }

  get path(): string {
    return this.#lock.path
  }

  get fd(): number | undefined {
    return this.#lock.fd
  }

  get fence(): number | undefined {
    return this.#lock.fence
  }

  /** Absent for most lockers, so that their claims do not pay for a listener. */
  get onLost(): TakenSlot['onLost'] {
    const lock = this.#lock
    return lock.onLost && ((listener) => lock.onLost?.(listener))
  }

  whyLost(): string | undefined {
    if (!leadsElsewhere(this.#lock, this.#system)) return undefined
    const orTaken = this.#lock.fence === undefined ? '' : ', or taken over'
    return `${this.path} was deleted or replaced${orTaken}`
  }

  release(): void {
    // By closing, never by unlocking: a child that was given the descriptor keeps the slot.
    this.#lock.release()
    this.#released(this.id)
  }
}

/** `undefined` where the locker cannot wait in the kernel. */
function freedFiles(files: SlotFiles): FreedSlots<FileLock, Claimed> | undefined {
  const { locker } = files
  const lockWhenFree = locker.lockWhenFree?.bind(locker)
  if (lockWhenFree === undefined) return undefined
  return new FreedSlots({
    size: files.size,
    lockWhenFree: (slot, options) => lockWhenFree(files.path(slot), options),
    accept(slot, lock) {
      return adoptSlot(files, lock) ? { slot, lock } : undefined
    },
    release: (lock) => lock.release(),
  })
}

function isLink(error: unknown): boolean {
  return error instanceof FileAccessError && error.errno === 'ELOOP'
}

function isNotFound(error: unknown): boolean {
  return error instanceof FileAccessError && error.errno === 'ENOENT'
}
