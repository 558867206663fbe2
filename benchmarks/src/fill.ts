import type { Actor } from './actor/actor.ts'

/** So many processes hold what others hold: locks of one process side by side would be one to the kernel, and one process has too few descriptors. */
export const HOLDERS = 4
/** A free permit can be refused for a moment, while somebody else looks at it. */
const ATTEMPTS = 10
/** After so many permits it looks at the time. */
const PORTION = 250

/** A subject that looks for a free permit one after the other fills a large pool in quadratic time. */
export class FillTooSlowError extends Error {}

/** Makes these processes hold all of the pool's permits but `free` of them, which lie scattered. None of them may hold any before. */
export async function fillAllBut(
  free: number,
  slots: number,
  holders: readonly Actor[],
  /** Throws `FillTooSlowError` when it takes longer. */
  withinMs: number = Number.POSITIVE_INFINITY,
): Promise<void> {
  const end = performance.now() + withinMs
  for (const [n, holder] of holders.entries()) {
    const share = shareOf(slots, n, holders.length)
    for (let held = 0; held < share; held = Math.min(share, held + PORTION)) {
      if (performance.now() > end) throw new FillTooSlowError(`${slots} permits were not taken within ${withinMs} ms`)
      await fillUpTo(Math.min(share, held + PORTION), holder)
    }
  }
  await freeMore(free, holders)
}

/** Makes them give back so many more, scattered. */
export async function freeMore(count: number, holders: readonly Actor[]): Promise<void> {
  for (const [n, holder] of holders.entries()) await holder.ask('drop', shareOf(count, n, holders.length))
}

/** Makes it take more of the permits, which are free, until it has so many. */
export async function fillUpTo(wanted: number, holder: Actor): Promise<void> {
  let { held } = await holder.ask('fill', 0)
  for (let attempt = 0; attempt < ATTEMPTS && held < wanted; attempt++) {
    held = (await holder.ask('fill', wanted - held)).held
  }
  if (held < wanted) throw new Error(`a process got ${held} permits of ${wanted} although they are free`)
}

/** The part of `total` that falls to the nth of `among`: they differ by one at most, and sum up to it. */
function shareOf(total: number, n: number, among: number): number {
  return Math.floor((total * (n + 1)) / among) - Math.floor((total * n) / among)
}
