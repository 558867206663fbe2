import type { Actor } from './actor/actor.ts'

/** Short, so that in most of them nothing else got the processor: the smallest ones stand any load. */
const BATCH_MS = 0.5
/** So long it claims before it is measured: until then a compiler may still be at work. */
const WARM_UP_MS = 20

/** Claims and releases for so many milliseconds, whatever a subject is: mean nanoseconds of one pair in each batch. */
export async function measuredPairs(actor: Actor, milliseconds: number): Promise<readonly number[]> {
  const { ns: first } = await actor.ask('measure', 3, 3)
  const warm = await pairsFor(actor, WARM_UP_MS, Math.min(...first))
  return await pairsFor(actor, milliseconds, Math.min(...warm))
}

async function pairsFor(actor: Actor, milliseconds: number, eachNs: number): Promise<readonly number[]> {
  const size = Math.max(1, Math.round((BATCH_MS * 1e6) / eachNs))
  const batches = Math.max(3, Math.round((milliseconds * 1e6) / (size * eachNs)))
  return (await actor.ask('measure', batches, size)).ns
}
