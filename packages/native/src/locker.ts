import type { FileLock, FileLocker, LockState, LockWatch } from '@procref/core'
import type { NativeBinding } from './binding.ts'
import { kernelWaits } from './kernel-waits.ts'
import { calling, nativeError } from './native-error.ts'
import { isInheritedByChildren, lockKind } from './platform.ts'

const REFUSED = -1
const FREE = 0
const HELD = 1

/**
 * Locks files in one native call each: with flock(2), or LockFileEx on Windows. A lock is a descriptor, as in @procref/flock, whose
 * holders it excludes: release is close(), and a child that is given the descriptor has the lock as well. (Not on Windows: there it
 * is a handle, which is nobody else's and no `fd` of Node's.)
 */
export function nativeLocker(load: () => NativeBinding): FileLocker {
  return {
    kind: lockKind(),
    tryLock(path) {
      const native = load()
      return lockOf(
        native,
        path,
        calling(path, () => native.tryLock(path)),
      )
    },
    tryTake(path, record) {
      const native = load()
      try {
        // Not through `calling`: this is on the way of every claim.
        return lockOf(native, path, native.tryTake(path, record))
      } catch (error) {
        throw nativeError(error, path)
      }
    },
    async lockWhenFree(path, { signal }) {
      const native = load()
      const start = (listener: number): number => native.startLockWait(listener, path)
      return new NativeLock(native, path, await kernelWaits(native).run(path, start, signal))
    },
    watch(path) {
      const native = load()
      return new NativeWatch(
        native,
        path,
        calling(path, () => native.openWatch(path)),
      )
    },
  }
}

function lockOf(native: NativeBinding, path: string, descriptor: number): FileLock | undefined {
  return descriptor === REFUSED ? undefined : new NativeLock(native, path, descriptor)
}

class NativeLock implements FileLock {
  readonly path: string
  readonly fd?: number
  readonly #native: NativeBinding
  readonly #descriptor: number
  #held = true

  constructor(native: NativeBinding, path: string, descriptor: number) {
    this.#native = native
    this.path = path
    this.#descriptor = descriptor
    if (isInheritedByChildren()) this.fd = descriptor
  }

  isCurrent(): boolean {
    return this.#held && this.#native.isCurrent(this.#descriptor, this.path)
  }

  adopt(record: Uint8Array): boolean {
    return this.#held && calling(this.path, () => this.#native.adopt(this.#descriptor, this.path, record))
  }

  release(): void {
    if (!this.#held) return
    this.#held = false
    this.#native.close(this.#descriptor)
  }
}

class NativeWatch implements LockWatch {
  readonly path: string
  readonly #native: NativeBinding
  readonly #descriptor: number
  #state: 'open' | 'closed' | 'free for good' = 'open'
  #lastError: unknown

  constructor(native: NativeBinding, path: string, descriptor: number) {
    this.#native = native
    this.path = path
    this.#descriptor = descriptor
  }

  get lastError(): unknown {
    return this.#lastError
  }

  isCurrent(): boolean {
    return this.#state === 'open' && this.#native.isCurrent(this.#descriptor, this.path)
  }

  probe(): LockState {
    if (this.#state === 'free for good') return 'free'
    try {
      if (this.#state === 'closed') throw closed(this.path)
      return this.#probe()
    } catch (error) {
      this.#lastError = error
      return 'unknown'
    }
  }

  async waitFree({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    if (this.#state === 'free for good') return signal?.throwIfAborted()
    if (this.#state === 'closed') throw closed(this.path)
    const start = (listener: number): number => this.#native.startSharedWait(listener, this.#descriptor, this.path)
    await kernelWaits(this.#native).run(this.path, start, signal)
  }

  close(): void {
    if (this.#state !== 'open') return
    this.#state = 'closed'
    this.#native.close(this.#descriptor)
  }

  #probe(): LockState {
    const found = calling(this.path, () => this.#native.probe(this.#descriptor, this.path))
    if (found === HELD) return 'held'
    if (found !== FREE) {
      // The look left a shared lock on the watch's own descriptor; nobody can claim a deleted file, so it is not missed.
      this.close()
      this.#state = 'free for good'
    }
    return 'free'
  }
}

function closed(path: string): Error {
  return new Error(`the watch of ${path} is closed`)
}
