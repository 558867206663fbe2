import { join } from 'node:path'
import { errnoOf, translateErrno } from './errno.ts'
import type { FileLocker, LockWatch } from './file-locker.ts'
import type { SlotInfo } from './slot-backend.ts'
import { readRecord } from './slot-files.ts'
import { slotOfFileName } from './slot-name.ts'
import type { SystemCalls } from './system-calls.ts'

/** A slot that is held, or that could not be looked at and therefore counts as held. */
export interface UsedSlot {
  readonly slot: number
  readonly path: string
  readonly watch?: LockWatch
  /** Why it could not be looked at. */
  readonly error?: unknown
}

interface KeptWatch extends UsedSlot {
  readonly name: string
  readonly watch: LockWatch
}

/**
 * Looks at the slots of a directory: all files that it lists (not a range of numbers: other programs may use more), and every
 * slot seen held before, through a watch that was kept open since, so that deleting files or the whole directory hides no
 * holder. A watch is kept until a look finds its slot free: one descriptor for each slot in use.
 */
export class SlotWatches {
  readonly #dir: string
  readonly #locker: FileLocker
  readonly #system: SystemCalls
  readonly #kept = new Set<KeptWatch>()
  /** What was last read about the holder, for when its file is no longer at its path. */
  readonly #known = new WeakMap<LockWatch, SlotInfo>()

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
      else yield state === 'held' ? kept : { ...kept, ...unknown(kept.slot, kept.path, kept.watch) }
    }
    for (const name of this.#list()) {
      const slot = slotOfFileName(name)
      if (slot === undefined || looked.has(name)) continue
      const used = this.#look(name, slot)
      if (used !== undefined) yield used
    }
  }

  /** What is known of a used slot: labels, for people. */
  info(used: UsedSlot): SlotInfo {
    const { slot, path, watch } = used
    if (watch === undefined) return { slot, path }
    // The file at the path is another one: what it says is about somebody else.
    if (!watch.isCurrent()) return this.#known.get(watch) ?? { slot, path }
    const info = { slot, path, ...readRecord(this.#system, path) }
    this.#known.set(watch, info)
    return info
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
      return { slot, path, error: translateErrno(error, 'look at the lock of', path) }
    }
    const state = watch.probe()
    if (state === 'held') {
      const kept = { name, slot, path, watch }
      this.#kept.add(kept)
      return kept
    }
    const used = state === 'unknown' ? unknown(slot, path, watch) : undefined
    watch.close()
    return used
  }

  #forget(kept: KeptWatch): void {
    this.#kept.delete(kept)
    kept.watch.close()
  }
}

function unknown(slot: number, path: string, watch: LockWatch): UsedSlot {
  const error = watch.lastError ?? new Error(`the lock of ${path} could not be looked at`)
  return { slot, path, error: translateErrno(error, 'look at the lock of', path) }
}
