import { setImmediate as nextTurn } from 'node:timers/promises'

/** A message of more bytes is worked on a little at a time. */
export const LONG_BYTES: number = 128 * 1024

/** Work that others may interrupt, each time it yields: about every millisecond. */
export type Interruptible<T = void> = Generator<void, T, undefined>

/** Does it without a pause. */
export function atOnce<T>(work: Interruptible<T>): T {
  for (;;) {
    const { done, value } = work.next()
    if (done) return value
  }
}

/** Does it, with a turn for all others at each interruption. */
export async function inTurns<T>(work: Interruptible<T>): Promise<T> {
  for (;;) {
    const { done, value } = work.next()
    if (done) return value
    await nextTurn()
  }
}
