import { errnoOf } from './errno.ts'
import type { FileLock, FileLocker, LockState, LockWatch } from './file-locker.ts'

/**
 * Do locks of the two on one path exclude each other? Only if both say so: lockers that do not name a kind are told apart.
 */
export function isOneLock(a: FileLocker, b: FileLocker): boolean {
  return a === b || (a.kind !== undefined && a.kind === b.kind)
}

/**
 * Control locks of two worlds whose locks do not exclude each other: both are taken, so that users of either are excluded.
 *
 * Guarantee: who has the lock has both; who is refused one keeps none. Nobody waits for one while it holds the other.
 * Caller: the two may lock the same path (each keeps what it needs in the file or beside it), and all who take both take them in this order.
 */
export function bothLocks(first: FileLocker, second: FileLocker): FileLocker {
  return {
    tryLock(path) {
      const one = first.tryLock(path)
      if (one === undefined) return undefined
      let other: FileLock | undefined
      try {
        other = second.tryLock(path)
        return other && new BothLocks(one, other)
      } finally {
        if (other === undefined) one.release()
      }
    },
    watch: (path) => new BothWatches(path, [first, second]),
  }
}

/**
 * Takes the locks of the `next` world, unless somebody holds the `old` one's. Who still takes only the old lock is seen, but could take it
 * a moment after it was looked at: those who take both (`bothLocks`) are the ones to run beside.
 */
export function locksHonouring(old: FileLocker, next: FileLocker): FileLocker {
  return {
    tryLock(path) {
      const lock = next.tryLock(path)
      if (lock === undefined) return undefined
      let free = false
      try {
        free = isFree(old, path)
        return free ? lock : undefined
      } finally {
        if (!free) lock.release()
      }
    },
    watch: (path) => new BothWatches(path, [old, next]),
  }
}

function isFree(locker: FileLocker, path: string): boolean {
  let watch: LockWatch
  try {
    watch = locker.watch(path)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return true
    throw error
  }
  try {
    return watch.probe() === 'free'
  } finally {
    watch.close()
  }
}

/** No `fd`: a child that inherited one of the two locks would keep only that one. */
class BothLocks implements FileLock {
  readonly path: string
  readonly #first: FileLock
  readonly #second: FileLock

  constructor(first: FileLock, second: FileLock) {
    this.path = first.path
    this.#first = first
    this.#second = second
  }

  isCurrent(): boolean {
    return this.#first.isCurrent() && this.#second.isCurrent()
  }

  release(): void {
    // The other way round than they were taken: whoever gets the first one finds the second one free.
    try {
      this.#second.release()
    } finally {
      this.#first.release()
    }
  }
}

/** Held while either is: a lock that only one world's holder has counts in both. */
class BothWatches implements LockWatch {
  readonly path: string
  readonly waitFree?: NonNullable<LockWatch['waitFree']>
  lastError: unknown
  readonly #lockers: readonly FileLocker[]
  /** `undefined`: of this world there was no lock file yet. */
  readonly #watches: (LockWatch | undefined)[] = []
  #closed = false

  constructor(path: string, lockers: readonly FileLocker[]) {
    this.path = path
    this.#lockers = lockers
    let missing: unknown
    try {
      for (const locker of lockers) {
        const watch = watchIfThere(locker, path, (error) => {
          missing = error
        })
        this.#watches.push(watch)
      }
    } catch (error) {
      this.close()
      throw error
    }
    if (this.#watches.every((watch) => watch === undefined)) throw missing
    if (this.#watches.every((watch) => watch === undefined || watch.waitFree !== undefined)) {
      this.waitFree = async (options) => {
        for (const watch of this.#watches) await watch?.waitFree?.(options)
      }
    }
  }

  probe(): LockState {
    if (this.#closed) {
      this.lastError = new Error(`the watch of ${this.path} is closed`)
      return 'unknown'
    }
    const states = this.#lockers.map((_, n) => this.#probe(n))
    if (states.includes('held')) return 'held'
    return states.includes('unknown') ? 'unknown' : 'free'
  }

  isCurrent(): boolean {
    return !this.#closed && this.#watches.every((watch) => watch === undefined || watch.isCurrent())
  }

  close(): void {
    this.#closed = true
    for (const watch of this.#watches) watch?.close()
  }

  #probe(n: number): LockState {
    const watch = this.#watches[n] ?? this.#watchNow(n)
    if (watch === undefined) return 'free'
    const state = watch.probe()
    if (state === 'unknown') this.lastError = watch.lastError
    return state
  }

  /** Somebody may have made the lock of the other world since. */
  #watchNow(n: number): LockWatch | undefined {
    const locker = this.#lockers[n]
    if (locker === undefined) return undefined
    const watch = watchIfThere(locker, this.path, () => {})
    this.#watches[n] = watch
    return watch
  }
}

function watchIfThere(locker: FileLocker, path: string, missing: (error: unknown) => void): LockWatch | undefined {
  try {
    return locker.watch(path)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
    missing(error)
    return undefined
  }
}
