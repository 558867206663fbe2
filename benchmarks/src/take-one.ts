import { setTimeout as after } from 'node:timers/promises'
import type { Actor } from './actor/actor.ts'

const ATTEMPTS = 10

/** Makes it take a permit that is free. One can be refused for a moment, while somebody else looks at it. */
export async function takeOne(actor: Actor): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if ((await actor.ask('try')).slot !== null) return
    await after(attempt)
  }
  throw new Error(`a free permit was refused ${ATTEMPTS} times`)
}
