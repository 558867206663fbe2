import { setTimeout as delay } from 'node:timers/promises'
import type { Actor } from '../actor/actor.ts'
import { EndedError } from '../actor/json-process.ts'

/** A library that looks by a timer has looked by then, and thrown what it saw. */
const LOOKED_MS = 300

/** What is said of a holder whose permit somebody else got. */
export const TOLD = {
  asked: { finding: '; the first one is told', said: 'it was told so when it asked' },
  ended: { finding: '; the first one is ended by an error', said: 'an error that nobody had caught ended it' },
  unaware: { finding: '', said: 'nothing told it' },
} as const

/** How a holder learns that its permit is somebody else's by now. */
export async function howFirstIsTold(holder: Actor): Promise<keyof typeof TOLD> {
  try {
    const answer = await holder.askIfAble('verify')
    if (answer !== undefined) return answer.isOurs ? 'unaware' : 'asked'
    // Libraries that look by a timer and throw what they see.
    await delay(LOOKED_MS)
    await holder.askIfAble('verify')
    return 'unaware'
  } catch (error) {
    if (error instanceof EndedError) return 'ended'
    throw error
  }
}
