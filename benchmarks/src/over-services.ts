import { inTurns, type Turns } from './in-turns.ts'
import type { ScenarioContext, UsableService } from './scenario.ts'

/** As `overSubjects`, with services; what the turns gave is for `seriesOf`, once or more often. */
export async function overServices<T>(
  context: ScenarioContext,
  options: {
    readonly turns: number
    /** Why a service has no place in this scenario; undefined: it has one. */
    readonly leaveOut?: (usable: UsableService) => string | undefined
    readonly measure: (usable: UsableService, turn: number) => Promise<T>
  },
): Promise<Turns<T>> {
  const { services } = context
  const all = services.map((usable) => ({ name: usable.service.name, title: usable.service.title, usable }))
  return await inTurns(context, all, options)
}
