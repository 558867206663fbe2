import type { Actor } from './actor/actor.ts'

/** Before it is measured: until then a compiler may still be at work. */
const WARM_UP = 10
const MOST = 1_000

/** The first claims of pools that were opened for them, for about so many milliseconds all in all: nanoseconds of each claim. */
export async function firstClaims(actor: Actor, milliseconds: number): Promise<readonly number[]> {
  const began = performance.now()
  await actor.ask('first', WARM_UP)
  const each = (performance.now() - began) / WARM_UP
  const times = Math.min(MOST, Math.max(WARM_UP, Math.round(milliseconds / each)))
  return (await actor.ask('first', times)).ns
}
