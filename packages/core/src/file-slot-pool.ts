import { type Claimed, claimFreeSlot } from './claim.ts'
import { delay, jittered } from './delay.ts'
import { errnoOf, FileAccessError } from './errno.ts'
import { ProcrefError } from './errors.ts'
import type { LockWatch } from './file-locker.ts'
import { FileSlot } from './file-slot.ts'
import { linkSignals } from './link-signals.ts'
import type { Slot, SlotInfo, SlotPool } from './slot-backend.ts'
import { PoolClosedError, SlotProbedError, SlotsExhaustedError } from './slot-errors.ts'
import type { SlotFiles } from './slot-files.ts'
import { SlotWatches, type UsedSlot } from './slot-watches.ts'

/** A claimer that waits looks again after this, growing to the longest. */
const FIRST_WAIT_MS = 10
const LONGEST_WAIT_MS = 200
/** How often `whenEmpty` looks where the kernel cannot wake us. */
const EMPTY_POLL_MS = 500

/** A pool on slot files; see docs/slot-directory.md for the protocol. */
export class FileSlotPool implements SlotPool {
  readonly dir: string
  readonly backend: string
  readonly size: number
  readonly #files: SlotFiles
  readonly #restoreDirectory: () => void
  readonly #watches: SlotWatches
  readonly #slots = new Set<FileSlot>()
  readonly #closed = new AbortController()
  readonly #forget = (slot: FileSlot): void => {
    this.#slots.delete(slot)
    // Where the next claim starts: probably still free, and its file warm.
    this.#start = slot.id
  }
  #start: number

  /** `restoreDirectory` makes the directory and its pin anew after somebody deleted them. */
  constructor(backend: string, files: SlotFiles, restoreDirectory: () => void) {
    this.dir = files.dir
    this.backend = backend
    this.size = files.size
    this.#files = files
    this.#restoreDirectory = restoreDirectory
    this.#watches = new SlotWatches(files.dir, files.locker, files.system)
    // Everybody starts somewhere else, or all would queue through the slots that are taken already.
    this.#start = Math.floor(Math.random() * files.size)
  }

  tryClaim(): Promise<Slot | undefined> {
    return this.#claimOnce(this.#closed.signal)
  }

  async claim(options: { readonly signal?: AbortSignal; readonly timeoutMs?: number } = {}): Promise<Slot> {
    const timeoutMs = options.timeoutMs ?? 0
    if (!(timeoutMs >= 0)) throw new TypeError(`timeoutMs must not be negative: ${String(options.timeoutMs)}`)
    using either = linkSignals(this.#closed.signal, options.signal)
    const { signal } = either
    signal.throwIfAborted()
    const giveUpAt = performance.now() + timeoutMs
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 1.5, LONGEST_WAIT_MS)) {
      const slot = await this.#claimUnlessProbed(giveUpAt, signal)
      if (slot !== undefined) return slot
      const leftMs = giveUpAt - performance.now()
      if (leftMs <= 0) throw new SlotsExhaustedError(this.dir, this.size, this.#holdersNow())
      await delay(Math.min(jittered(wait), leftMs), { signal, timer: 'ref' })
    }
  }

  async held(): Promise<readonly SlotInfo[]> {
    this.#closed.signal.throwIfAborted()
    return holders(this.#watches)
  }

  async count(): Promise<number> {
    this.#closed.signal.throwIfAborted()
    let count = 0
    for (const _ of this.#watches.used()) count++
    return count
  }

  async provenEmpty(): Promise<boolean> {
    this.#closed.signal.throwIfAborted()
    // All of them, also once one was found: whoever is seen now stays seen, whatever happens to the files.
    const used = [...this.#watches.used()]
    if (used.some(({ error }) => error === undefined)) return false
    const [unproven] = used
    if (unproven !== undefined) throw unproven.error
    return true
  }

  async whenEmpty(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    using either = linkSignals(this.#closed.signal, options.signal)
    const { signal } = either
    for (;;) {
      signal.throwIfAborted()
      const holder = this.#anyHolder()
      if (holder === undefined) return
      await untilFree(holder === 'unknown' ? undefined : holder.watch, signal)
    }
  }

  async close(): Promise<void> {
    if (this.#closed.signal.aborted) return
    this.#closed.abort(new PoolClosedError(this.dir))
    for (const slot of [...this.#slots]) await slot.release()
    this.#watches.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #claimOnce(signal: AbortSignal): Promise<Slot | undefined> {
    signal.throwIfAborted()
    const claimed = await this.#lockFreeSlot(signal)
    if (claimed === undefined) return undefined
    if (signal.aborted) {
      claimed.lock.release()
      signal.throwIfAborted()
    }
    // The next claim starts behind this slot: else a process that claims many would first try all that it holds itself.
    this.#start = (claimed.slot + 1) % this.size
    const slot = new FileSlot(claimed.slot, claimed.lock, this.#forget)
    this.#slots.add(slot)
    return slot
  }

  /** A deleted directory is made anew, pin and all: whoever held a slot in the old one finds out by `verify()`. */
  async #lockFreeSlot(signal: AbortSignal): Promise<Claimed | undefined> {
    try {
      return await claimFreeSlot(this.#files, this.#start, signal)
    } catch (error) {
      if (!isNotFound(error)) throw error
      this.#restoreDirectory()
      return await claimFreeSlot(this.#files, this.#start, signal)
    }
  }

  /** Probers are in the way for a while; only at the deadline they are a reason to give up. */
  async #claimUnlessProbed(giveUpAt: number, signal: AbortSignal): Promise<Slot | undefined> {
    try {
      return await this.#claimOnce(signal)
    } catch (error) {
      if (error instanceof SlotProbedError && performance.now() < giveUpAt) return undefined
      throw error
    }
  }

  /** For a message: nothing stays open, and what cannot be found out does not hide what the message is about. */
  #holdersNow(): readonly SlotInfo[] {
    const watches = new SlotWatches(this.dir, this.#files.locker, this.#files.system)
    try {
      return holders(watches)
    } catch (error) {
      if (errnoOf(error) !== undefined || error instanceof ProcrefError) return []
      throw error
    } finally {
      watches.close()
    }
  }

  /** `unknown`: the slots could not even be listed. */
  #anyHolder(): UsedSlot | 'unknown' | undefined {
    try {
      for (const used of this.#watches.used()) return used
      return undefined
    } catch (error) {
      if (errnoOf(error) !== undefined || error instanceof ProcrefError) return 'unknown'
      throw error
    }
  }
}

function holders(watches: SlotWatches): readonly SlotInfo[] {
  const infos = [...watches.used()].map((used) => watches.info(used))
  return infos.sort((a, b) => a.slot - b.slot)
}

/** Until the watched lock was free, or for a while where nobody can say so. */
async function untilFree(watch: LockWatch | undefined, signal: AbortSignal): Promise<void> {
  if (watch?.waitFree !== undefined) {
    try {
      return await watch.waitFree({ signal })
    } catch (error) {
      // Whatever keeps the kernel from waking us: looking again finds out as well, only later.
      if (signal.aborted) throw error
    }
  }
  // Does not keep the process alive: whoever only waits for others to leave may leave first.
  await delay(jittered(EMPTY_POLL_MS), { signal, timer: 'unref' })
}

function isNotFound(error: unknown): boolean {
  return error instanceof FileAccessError && error.errno === 'ENOENT'
}
