import type { Actor } from '../actor/actor.ts'

/** Gives the only permit of a pool that nobody has used to `actor`. */
export async function takeOnlyPermit(actor: Actor): Promise<void> {
  const { slot } = await actor.ask('try')
  if (slot === null) throw new Error('the only permit of a new pool was not to be had')
}
