import { atMost } from './limits.ts'
import type { GoalResult, Point, ScenarioResult } from './results.ts'
import { AT_REST_MEMORY, AT_REST_SWITCHES, BEYOND_NODE } from './scenarios/at-rest.ts'
import { FIRST_CONNECTS_FAILED, FIRST_CONNECTS_SERVERS } from './scenarios/first-connects.ts'
import { WARM_CONNECT_RATIO } from './scenarios/warm-connect.ts'

const GOOD_SERVICE = 'procref-executable-native'

/** What procref with an executable and native() has to reach; what this run did not measure is left out. */
export function lifecycleGoals(scenarios: readonly ScenarioResult[]): readonly GoalResult[] {
  const herd = (name: string): number | undefined => pointsOf(scenarios, name).find(({ at }) => at === 200)?.max
  const first = (name: string, variant?: string): Point | undefined => pointsOf(scenarios, name, variant)[0]
  return [
    atMost(
      'The last client killed → the stop begins, beyond the linger',
      50,
      'ms',
      first('last-client-killed', 'stop begins')?.p50,
    ),
    atMost('A warm connect, against the bare SDK’s', 1.2, 'ratio', warmConnectRatio(scenarios, GOOD_SERVICE)),
    atMost('200 first connects at the same moment: servers', 1, 'count', herd(FIRST_CONNECTS_SERVERS)),
    atMost('200 first connects at the same moment: failed', 0, 'count', herd(FIRST_CONNECTS_FAILED)),
    atMost('The guardian at rest: voluntary context switches', 1, 'per second', meanOf(first(AT_REST_SWITCHES))),
    atMost(
      'The guardian at rest: memory beyond a bare Node process',
      12,
      'MB',
      first(AT_REST_MEMORY, BEYOND_NODE)?.p50,
    ),
  ].filter((goal) => goal !== undefined)
}

/** The median quotient of one turn; undefined: not measured. For the ratio guard, too. */
export function warmConnectRatio(scenarios: readonly ScenarioResult[], service: string): number | undefined {
  return pointsOf(scenarios, WARM_CONNECT_RATIO, undefined, service)[0]?.p50
}

function pointsOf(
  scenarios: readonly ScenarioResult[],
  name: string,
  variant?: string,
  service: string = GOOD_SERVICE,
): readonly Point[] {
  const scenario = scenarios.find((one) => one.name === name)
  return scenario?.series.find((one) => one.subject === service && one.variant === variant)?.points ?? []
}

/** A beat wakes it in one window and not in the next: only the whole time says how often. */
function meanOf(point: Point | undefined): number | undefined {
  if (point === undefined) return undefined
  return point.samples.reduce((sum, value) => sum + value, 0) / point.samples.length
}
