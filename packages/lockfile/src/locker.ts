import { type BigIntStats, closeSync, constants, fstatSync, lstatSync, openSync, rmSync, statSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { errnoOf, type FileLock, type FileLocker, type LockState, type LockWatch, UnsafeFileError } from '@procref/core'
import { Heart } from './heart.ts'
import { beatOf } from './lease.ts'
import { Observer } from './observer.ts'
import { type OwnRecord, ownRecord } from './owner-record.ts'
import { ownersOf } from './owners.ts'
import { giveBack, isCurrent, type Ownership } from './ownership.ts'

// Windows has neither of the last two.
const NO_LINK_NO_WAIT = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
const TO_LOCK = constants.O_RDWR | constants.O_CREAT | NO_LINK_NO_WAIT
const TO_WATCH = constants.O_RDONLY | NO_LINK_NO_WAIT
const BIGINT = { bigint: true } as const

/** One for all lockers of this thread: what it has to know is where its worker is. */
let heart: Heart | undefined
const held = new Set<LockfileLock>()

/**
 * Locks on files by heartbeats beside them (see `ownersOf`), for places without native code.
 *
 * Guarantee: at most one process takes a generation of a lock, and whoever took a later one has the greater `fence`.
 * Not guaranteed: that a holder that stood still for longer than its lease knows at once that it lost its lock; `onLost` tells it when it
 * goes on, `isCurrent()` at any time, and `fence` protects what it writes to.
 */
export function lockfileLocker(leaseMs: number): FileLocker {
  const observer = new Observer(leaseMs)
  return {
    tryLock: (path) => tryLock(observer, leaseMs, path),
    watch: (path) => new LockfileWatch(observer, path),
    discard(path) {
      try {
        rmSync(ownersOf(path), { recursive: true, force: true })
      } catch (error) {
        if (errnoOf(error) === undefined) throw error
      }
    },
  }
}

function tryLock(observer: Observer, leaseMs: number, path: string): FileLock | undefined {
  const fd = openSync(path, TO_LOCK, 0o600)
  let lock: LockfileLock | undefined
  try {
    const stat = fstatSync(fd, BIGINT)
    checkOwn(path, stat)
    const owners = ownersOf(path)
    checkOwners(owners)
    const verdict = observer.judge(owners)
    if (!verdict.free) return undefined
    const record = ownRecord(leaseMs)
    const taken = new LockfileLock(path, fd, stat, { owners, number: verdict.next, claim: record.claim })
    if (taken.take(record)) lock = taken
    return lock
  } finally {
    if (lock === undefined) closeSync(fd)
  }
}

class LockfileLock implements FileLock {
  readonly path: string
  readonly fence: number
  readonly #fd: number
  readonly #file: BigIntStats
  readonly #ownership: Ownership
  readonly #listeners: ((reason: string) => void)[] = []
  #held = true
  #lostBecause: string | undefined

  constructor(path: string, fd: number, file: BigIntStats, ownership: Ownership) {
    this.path = path
    this.fence = ownership.number
    this.#fd = fd
    this.#file = file
    this.#ownership = ownership
  }

  /** False: somebody else was first. */
  take(record: OwnRecord): boolean {
    if (heart === undefined || heart.ended) heart = new Heart()
    const { owners, number } = this.#ownership
    const taken = heart.take(owners, number, record, beatOf(record.leaseMs), (reason) => this.#lose(reason))
    if (taken) hold(this, record)
    return taken
  }

  onLost(listener: (reason: string) => void): void {
    if (this.#lostBecause === undefined) this.#listeners.push(listener)
    else listener(this.#lostBecause)
  }

  isCurrent(): boolean {
    if (!this.#held || this.#lostBecause !== undefined) return false
    try {
      return leadsTo(this.path, this.#file) && isCurrent(this.#ownership)
    } catch (error) {
      if (errnoOf(error) !== undefined) return false
      throw error
    }
  }

  release(): void {
    if (!this.#held) return
    // First: giving back needs a descriptor, and it may be the last one.
    closeQuietly(this.#fd)
    this.giveBack()
    heart?.forget(this.#ownership.claim)
  }

  /** What others have to see; all that can be done while the process exits. */
  giveBack(): void {
    this.#held = false
    held.delete(this)
    if (held.size === 0) process.off('exit', giveAllBack)
    try {
      giveBack(this.#ownership)
    } catch (error) {
      // Time gives it back, as it does with a dead owner.
      if (errnoOf(error) === undefined) throw error
    }
  }

  #lose(reason: string): void {
    this.#lostBecause = reason
    for (const tell of this.#listeners.splice(0)) tell(reason)
  }
}

/**
 * Whoever leaves by itself is not waited for until its lease runs out, where nobody can prove that it is dead: a thread of a process
 * that goes on, or a process without an identity. Not where it can be proven: exit handlers of the program may run after ours, and what the
 * lock protects is still used then.
 */
function hold(lock: LockfileLock, record: OwnRecord): void {
  if (isMainThread && record.process !== undefined) return
  if (held.size === 0) process.on('exit', giveAllBack)
  held.add(lock)
}

function giveAllBack(): void {
  for (const lock of [...held]) lock.giveBack()
}

class LockfileWatch implements LockWatch {
  readonly path: string
  readonly #observer: Observer
  readonly #file: BigIntStats
  #fd: number | undefined
  #lastError: unknown

  constructor(observer: Observer, path: string) {
    this.path = path
    this.#observer = observer
    const fd = openSync(path, TO_WATCH)
    try {
      this.#file = fstatSync(fd, BIGINT)
      if (!this.#file.isFile()) throw new UnsafeFileError(path, 'is not a plain file')
      this.#fd = fd
    } finally {
      if (this.#fd === undefined) closeSync(fd)
    }
  }

  get lastError(): unknown {
    return this.#lastError
  }

  isCurrent(): boolean {
    return this.#fd !== undefined && leadsTo(this.path, this.#file)
  }

  probe(): LockState {
    try {
      if (this.#fd === undefined) throw new Error(`the watch of ${this.path} is closed`)
      return this.#observer.judge(ownersOf(this.path)).free ? 'free' : 'held'
    } catch (error) {
      this.#lastError = error
      return 'unknown'
    }
  }

  close(): void {
    if (this.#fd === undefined) return
    closeQuietly(this.#fd)
    this.#fd = undefined
  }
}

function checkOwn(path: string, stat: BigIntStats): void {
  if (!stat.isFile()) throw new UnsafeFileError(path, 'is not a plain file')
  refuseForeign(path, stat)
}

/** Whoever can put names there decides who has the lock. */
function checkOwners(owners: string): void {
  const stat = lstatSync(owners, { ...BIGINT, throwIfNoEntry: false })
  if (stat === undefined) return
  if (!stat.isDirectory()) throw new UnsafeFileError(owners, 'is not a directory')
  refuseForeign(owners, stat)
}

function refuseForeign(path: string, stat: BigIntStats): void {
  const user = process.geteuid?.()
  if (user === undefined || Number(stat.uid) === user) return
  throw new UnsafeFileError(path, `belongs to user ${stat.uid}, and this process is user ${user}`)
}

/** Is the file at `path` this one? False also when it cannot be told. */
function leadsTo(path: string, file: BigIntStats): boolean {
  try {
    const stat = statSync(path, { ...BIGINT, throwIfNoEntry: false })
    return stat !== undefined && stat.ino === file.ino && stat.dev === file.dev
  } catch (error) {
    if (errnoOf(error) !== undefined) return false
    throw error
  }
}

/** The descriptor is gone whatever close() says, and there is nobody who could do better. */
function closeQuietly(fd: number): void {
  try {
    closeSync(fd)
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
  }
}
