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
  isCurrent(descriptor: number, path: string): boolean
  /** False: it was closed before. */
  close(descriptor: number): boolean
}
