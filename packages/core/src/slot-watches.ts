import { join } from 'node:path'
import { errnoOf, translateErrno } from './errno.ts'
import type { FileLocker, LockWatch } from './file-locker.ts'
import type { SlotInfo } from './slot-backend.ts'
import { readRecord } from './slot-files.ts'
import { slotOfFileName } from './slot-name.ts'
import type { UsedSlot } from './slot-store.ts'
import type { SystemCalls } from './system-calls.ts'

/**
 * Looks at the slots of a directory: all files that it lists (not a range of numbers: other programs may use more), and every
 * slot seen held before, through a watch that was kept open since, so that deleting files or the whole directory hides no
 * holder. A watch is kept until a look finds its slot free: one descriptor for each slot in use.
 */
export class SlotWatches {
  readonly #dir: string
  readonly #locker: FileLocker
  readonly #system: SystemCalls
  readonly #kept = new Set<HeldFile>()

  constructor(dir: string, locker: FileLocker, system: SystemCalls) {
    this.#dir = dir
    this.#locker = locker
    this.#system = system
  }

  /**
   * The used slots, found one by one. The slots seen held before come first: while one of them is still held, asking only
   * for the first used slot takes one probe, however many slots there are.
   */
  *used(): Generator<UsedSlot, void, void> {
    const looked = new Set<string>()
    for (const kept of [...this.#kept]) {
      const state = kept.watch.probe()
      const current = kept.watch.isCurrent()
      if (current) looked.add(kept.name)
      if (state === 'free') this.#forget(kept)
      else yield state === 'held' ? kept : unknown(kept.slot, kept.path, kept.watch)
    }
    for (const name of this.#list()) {
      const slot = slotOfFileName(name)
      if (slot === undefined || looked.has(name)) continue
      const used = this.#look(name, slot)
      if (used !== undefined) yield used
    }
  }

  close(): void {
    for (const kept of [...this.#kept]) this.#forget(kept)
  }

  #list(): readonly string[] {
    try {
      return this.#system.readdir(this.#dir)
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return []
      throw translateErrno(error, 'list the slots in', this.#dir)
    }
  }

  #look(name: string, slot: number): UsedSlot | undefined {
    const path = join(this.#dir, name)
    let watch: LockWatch
    try {
      watch = this.#locker.watch(path)
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined
      return new UnknownFile(slot, path, translateErrno(error, 'look at the lock of', path))
    }
    const state = watch.probe()
    if (state === 'held') {
      const kept = new HeldFile(name, slot, path, watch, this.#system)
      this.#kept.add(kept)
      return kept
    }
    const used = state === 'unknown' ? unknown(slot, path, watch) : undefined
    watch.close()
    return used
  }

  #forget(kept: HeldFile): void {
    this.#kept.delete(kept)
    kept.watch.close()
  }
}

/** A slot file that somebody holds, with the watch that is kept on it. */
class HeldFile implements UsedSlot {
  readonly name: string
  readonly slot: number
  readonly path: string
  readonly watch: LockWatch
  readonly whenFree?: NonNullable<UsedSlot['whenFree']>
  readonly #system: SystemCalls
  /** What was last read about the holder, for when its file is no longer at its path. */
  #known: SlotInfo | undefined

  constructor(name: string, slot: number, path: string, watch: LockWatch, system: SystemCalls) {
    this.name = name
    this.slot = slot
    this.path = path
    this.watch = watch
    this.#system = system
    if (watch.waitFree !== undefined) this.whenFree = watch.waitFree.bind(watch)
  }

  info(): SlotInfo {
    const { slot, path } = this
    // The file at the path is another one: what it says is about somebody else.
    if (!this.watch.isCurrent()) return this.#known ?? { slot, path }
    this.#known = { slot, path, ...readRecord(this.#system, path) }
    return this.#known
  }
}

/** A slot file whose lock could not be looked at. */
class UnknownFile implements UsedSlot {
  readonly slot: number
  readonly error: unknown
  readonly #path: string

  constructor(slot: number, path: string, error: unknown) {
    this.slot = slot
    this.error = error
    this.#path = path
  }

  info(): SlotInfo {
    return { slot: this.slot, path: this.#path }
  }
}

function unknown(slot: number, path: string, watch: LockWatch): UsedSlot {
  const error = watch.lastError ?? new Error(`the lock of ${path} could not be looked at`)
  return new UnknownFile(slot, path, translateErrno(error, 'look at the lock of', path))
}
