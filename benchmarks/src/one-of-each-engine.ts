import type { ScenarioContext, UsableService } from './scenario.ts'
import type { Service } from './service.ts'

/**
 * Why a service has no place where queries are measured: which backend holds the slots, and who stops the server, makes no difference
 * there. The first that can be used of procref stands for each engine; of the others those who are in `others`.
 */
export function oneOfEachEngine(
  { services }: Pick<ScenarioContext, 'services'>,
  others: readonly Service['name'][] = [],
): (usable: UsableService) => string | undefined {
  return ({ service }) => {
    if (others.includes(service.name)) return undefined
    const standsFor = services.find((one) => one.service.kind === 'procref' && one.service.engine === service.engine)
    if (standsFor?.service === service) return undefined
    return standsFor === undefined
      ? 'it is not about procref'
      : `as ${standsFor.service.title}: the same server answers`
  }
}
