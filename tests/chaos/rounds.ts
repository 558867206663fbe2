import type { Plan } from './plan.ts'
import { type Installation, OURS, type Outcome, type Patience, playRound } from './round.ts'

/** Plays rounds, several at once, and tells of each; a round waits more than it computes. `told` answers whether to go on. */
export async function playRounds(
  plans: Iterable<Plan>,
  atOnce: number,
  told: (outcome: Outcome) => boolean,
  installation: Installation = OURS,
  patience?: Patience,
): Promise<void> {
  const left = plans[Symbol.iterator]()
  let isOver = false
  const player = async (): Promise<void> => {
    for (let next = left.next(); !next.done && !isOver; next = left.next()) {
      if (!told(await playRound(next.value, installation, patience))) isOver = true
    }
  }
  await Promise.all(Array.from({ length: atOnce }, player))
}
