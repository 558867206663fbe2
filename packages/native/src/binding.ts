/**
 * What the Rust part exports: plain functions; a lock is the number of its descriptor, -1 says "refused now". Nothing is held by
 * an object, so no garbage collector can let go of a lock. See `crates/node`.
 */
export interface NativeBinding {
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
  /** The locked descriptor, -2 for a shared wait, -1 if it was called off. */
  endWait(wait: number): number
  isCurrent(descriptor: number, path: string): boolean
  /** 0: it was closed before. */
  close(descriptor: number): number
}
