import fs from 'node:fs'
import type { FileLock, FileLocker, LockState, LockWatch } from '@procref/core'

/**
 * Locks between users of one process, on real files, whose every answer a test can replace: what a kernel does once in a
 * million times happens here when the test says so.
 */
export class TestLocker implements FileLocker {
  /** Answers instead of trying: an error is thrown, `refused` is what a prober causes. */
  onTryLock: (path: string) => Error | 'refused' | undefined = () => undefined
  onWatch: (path: string) => Error | undefined = () => undefined
  onRelease: (lock: FileLock) => Error | undefined = () => undefined
  onProbe: (path: string) => LockState | undefined = () => undefined
  waitFree: LockWatch['waitFree'] | undefined
  isInheritable: 'inheritable' | 'bare' = 'inheritable'
  /** Set by `handingOver()`. */
  lockWhenFree?: NonNullable<FileLocker['lockWhenFree']>
  /** Waits that have not ended, by path. */
  readonly waits: Wait[] = []
  readonly locks = new Set<TestLock>()
  readonly watches = new Set<TestWatch>()
  probes = 0

  tryLock(path: string): FileLock | undefined {
    const answer = this.onTryLock(path)
    if (answer instanceof Error) throw answer
    const fd = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_NOFOLLOW, 0o600)
    if (answer === 'refused' || this.isLocked(fd)) {
      fs.closeSync(fd)
      return undefined
    }
    return new TestLock(this, path, fd)
  }

  /** From now on this locker hands locks over as a kernel does, first come, first served. */
  handingOver(): this {
    this.lockWhenFree = (path, { signal }) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        const wait: Wait = { path, resolve, reject }
        this.waits.push(wait)
        // A thread that is called off ends a little later, and may be granted its lock until then: that one is given back.
        signal.addEventListener('abort', () => setImmediate(() => this.#end(wait, () => reject(signal.reason))))
        this.handOver()
      })
    return this
  }

  /** Grants what can be granted. */
  handOver(): void {
    for (const wait of [...this.waits]) {
      const lock = this.tryLock(wait.path)
      if (lock !== undefined) this.#end(wait, () => wait.resolve(lock))
    }
  }

  #end(wait: Wait, settle: () => void): void {
    const at = this.waits.indexOf(wait)
    if (at === -1) return
    this.waits.splice(at, 1)
    settle()
  }

  watch(path: string): LockWatch {
    const error = this.onWatch(path)
    if (error !== undefined) throw error
    return new TestWatch(this, path, fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW))
  }

  isLocked(fd: number): boolean {
    const { ino } = fs.fstatSync(fd)
    return [...this.locks].some((lock) => lock.ino === ino)
  }
}

interface Wait {
  readonly path: string
  resolve(lock: FileLock): void
  reject(error: unknown): void
}

class TestLock implements FileLock {
  readonly path: string
  readonly fd?: number
  readonly ino: number
  readonly #locker: TestLocker
  readonly #fd: number

  constructor(locker: TestLocker, path: string, fd: number) {
    this.#locker = locker
    this.path = path
    this.#fd = fd
    if (locker.isInheritable === 'inheritable') this.fd = fd
    this.ino = fs.fstatSync(fd).ino
    locker.locks.add(this)
  }

  isCurrent(): boolean {
    return fs.statSync(this.path, { throwIfNoEntry: false })?.ino === this.ino
  }

  release(): void {
    const error = this.#locker.onRelease(this)
    if (error !== undefined) throw error
    if (!this.#locker.locks.delete(this)) return
    fs.closeSync(this.#fd)
    this.#locker.handOver()
  }
}

class TestWatch implements LockWatch {
  readonly path: string
  readonly waitFree?: NonNullable<LockWatch['waitFree']>
  lastError: unknown
  readonly #locker: TestLocker
  readonly #fd: number

  constructor(locker: TestLocker, path: string, fd: number) {
    this.#locker = locker
    this.path = path
    this.#fd = fd
    if (locker.waitFree !== undefined) this.waitFree = locker.waitFree
    locker.watches.add(this)
  }

  probe(): LockState {
    this.#locker.probes++
    const state = this.#locker.onProbe(this.path)
    if (state === 'unknown') this.lastError = errno('EMFILE')
    return state ?? (this.#locker.isLocked(this.#fd) ? 'held' : 'free')
  }

  isCurrent(): boolean {
    return fs.statSync(this.path, { throwIfNoEntry: false })?.ino === fs.fstatSync(this.#fd).ino
  }

  close(): void {
    if (this.#locker.watches.delete(this)) fs.closeSync(this.#fd)
  }
}

/** What the operating system throws. */
export function errno(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: made by a test`), { code })
}
