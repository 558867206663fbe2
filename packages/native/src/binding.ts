/**
 * What the Rust part exports: plain functions; a lock is the number of its descriptor, -1 says "refused now". Nothing is held by
 * an object, so no garbage collector can let go of a lock. See `crates/node`.
 */
export interface NativeBinding
  extends OfdRangeBinding,
    SysvBinding,
    RobustMutexBinding,
    PosixSemaphoreBinding,
    PermitTableBinding,
    IdentityBinding {
  tryLock(path: string): number
  tryTake(path: string, record: Uint8Array): number
  openWatch(path: string): number
  /** 0: free, 1: held, 2: free for good. */
  probe(watch: number, path: string): number
  /** `ended` is called with the number of each wait that is over: `endWait()` it. What is returned is passed to `start…Wait`. */
  listenForWaits(ended: (wait: number) => void): number
  /** Waits, without keeping the process alive, for the exclusive lock of the file at `path`. */
  startLockWait(listener: number, path: string): number
  /** As `startLockWait`, until nobody holds the lock of the watched file. */
  startSharedWait(listener: number, watch: number, path: string): number
  /** Returns at once; `ended` is still called. */
  callOffWait(wait: number): void
  /** The locked descriptor or the slot, -2 where a wait takes nothing, -1 if it was called off. */
  endWait(wait: number): number
  /** Instead of `endWait`: gives back what the wait brought. */
  dropWait(wait: number): void
  isCurrent(descriptor: number, path: string): boolean
  /** `isCurrent()`, and the record written if so. */
  adopt(descriptor: number, path: string, record: Uint8Array): boolean
  /** Throws a `PANIC`. */
  panicForTests(): void
  /** 0: it was closed before. */
  close(descriptor: number): number
}

/** Pools on ranges of locks; an open one is a number, and so is a slot that it holds or has seen (a token). Only on Linux. */
export interface OfdRangeBinding {
  readonly OFD_SLOTS_A_FILE?: number
  ofdOpen(dir: string, slots: number, record: Uint8Array, first: number): number
  /** A token; -1: none was found quickly, which proves nothing. */
  ofdTryClaim(pool: number): number
  /** 0: it was released before. */
  ofdRelease(pool: number, token: number): number
  /** A token; -1: refused. */
  ofdTryClaimAt(pool: number, slot: number): number
  /** A token; -1: every slot of the shard was proven to be held; -2: nothing was proven. */
  ofdScan(pool: number, shard: number): number
  ofdRefreshHints(pool: number): void
  ofdIsCurrent(pool: number, token: number): boolean
  /** Tokens of all slots of the shard that anybody holds. */
  ofdUsed(pool: number, shard: number): readonly number[]
  ofdIsOpen(pool: number, shard: number): boolean
  ofdReadRecord(pool: number, token: number): Uint8Array
  ofdStartSlotWait(listener: number, pool: number, slot: number): number
  ofdStartUnusedWait(listener: number, pool: number, shard: number): number
  /** A token for what a slot wait brought; -1: it is not the slot any more. */
  ofdAdopt(pool: number, descriptor: number, slot: number): number
  ofdClose(pool: number): boolean
}

/** Semaphore sets; an open one is a number. Only on Linux. */
export interface SysvBinding {
  readonly SYSV_MAX_SLOTS?: number
  /** The new set's id. */
  sysvCreate(slots: number, magic: string): number
  sysvOpen(id: number, slots: number, magic: string): number
  /** -1: all in use. */
  sysvTryTake(set: number): number
  /** False: it was not taken through this number, or the set is gone. */
  sysvRelease(set: number, slot: number): boolean
  sysvHeld(set: number): readonly number[]
  sysvIsHeld(set: number, slot: number): boolean
  /** 0: not in our process table. */
  sysvLastPid(set: number, slot: number): number
  /** The wait brings a slot that was taken through `set`, or fails with `EIDRM`: the set is gone. */
  sysvStartTakeWait(listener: number, set: number): number
  sysvStartUnusedWait(listener: number, set: number): number
  /** Removes the set if nobody holds anything in it, once no wait through this number runs. */
  sysvClose(set: number): boolean
  /** False: there is no such set. Whoever holds a slot in it loses it. */
  sysvRemove(id: number, slots: number, magic: string): boolean
}

/** Files of robust mutexes; an open one is a number. Only on Linux. */
export interface RobustMutexBinding {
  readonly ROBUST_MAX_SLOTS?: number
  robustCreate(path: string, slots: number): void
  robustOpen(path: string): number
  robustSlots(file: number): number
  /** -1: all in use. */
  robustTryTake(file: number, start: number, record: Uint8Array): number
  /** False: it was not taken through this number. */
  robustRelease(file: number, slot: number): boolean
  robustHeld(file: number): readonly number[]
  robustHolds(file: number, slot: number): boolean
  robustIsAt(file: number, path: string): boolean
  robustReadRecord(file: number, slot: number): Uint8Array
  /** Takes nothing. */
  robustStartSlotWait(listener: number, file: number, slot: number): number
  robustStartUnusedWait(listener: number, file: number): number
  robustClose(file: number): boolean
}

/** Named semaphores; an open one is a number. Not on Windows. */
export interface PosixSemaphoreBinding {
  posixSemaphoreOpen?(name: string, permits: number): number
  posixSemaphoreCreate(name: string, permits: number): number
  posixSemaphoreRandomName(): string
  posixSemaphoreTryWait(semaphore: number): boolean
  /** Brings 0, and a permit. */
  posixSemaphoreStartWait(listener: number, semaphore: number): number
  posixSemaphorePost(semaphore: number): void
  posixSemaphoreValue(semaphore: number): number
  posixSemaphoreClose(semaphore: number): boolean
  posixSemaphoreUnlink(name: string): boolean
}

/** Tables of permits; an open one is a number. Only on Linux. */
export interface PermitTableBinding {
  readonly PERMIT_MAX_SLOTS?: number
  /** From where a table that is made here can be used. `ENOSYS`: processes cannot be judged here. */
  permitTableReach(): string
  permitTableCreate(path: string, slots: number): void
  /** False: somebody uses it. */
  permitTableRemoveUnused(path: string): boolean
  permitTableOpen(path: string, scanMs: number): number
  permitTableSlots(table: number): number
  /** -1: all in use; -2: look again. */
  permitTableTryTake(table: number, start: number, record: Uint8Array): number
  /** False: it was not taken through this number. */
  permitTableRelease(table: number, slot: number): boolean
  permitTableHeld(table: number): readonly number[]
  permitTableHolds(table: number, slot: number): boolean
  permitTableIsCurrent(table: number): boolean
  permitTableReadRecord(table: number, slot: number): Uint8Array
  permitTableWatchdogPid(table: number): number | null
  /** The generation, and its semaphore's value; -1: it has none. */
  permitTablePermits(table: number): readonly [number, number]
  permitTableClose(table: number): boolean
  /** This process is killed, or stopped, when it reaches that step of the Rust part. */
  permitTableFailForTests(step: string, stops: boolean): void
}

/** Which process has a pid; null: none, or it must not be seen. Only on Linux. */
export interface IdentityBinding {
  identityStartTicksOf(pid: number): string | null
  identityExecutableOf(pid: number): string | null
  identityBootId(): string
  identityPidNamespaceOf(pid: number): string | null
  identityNetNamespaceOf(pid: number): string | null
  /** False: the recorded process is gone, is another one, or is never signalled. `ENOSYS`: cannot be done here. */
  identitySignalSame(pid: number, startTicks: string, bootId: string, pidNamespace: string, signal: number): boolean
}
