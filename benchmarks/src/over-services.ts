import type { ScenarioContext, UsableService } from './scenario.ts'
import { type Measured, type Turns, turnByTurn } from './turn-by-turn.ts'

/** Measures one service after the other, turn by turn; `combined` makes each result from what the turns gave. */
export async function overServices<T>(
  context: ScenarioContext,
  options: Turns<UsableService, T>,
): Promise<Measured<T>> {
  const { services } = context
  const all = services.map((usable) => ({ name: usable.service.name, title: usable.service.title, usable }))
  return await turnByTurn(context, all, options)
}
