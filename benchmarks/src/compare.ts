import type { Machine, Point, Results, Scale, ScenarioResult, Unit } from './results.ts'
import { ratioOfMedians } from './statistics.ts'

/** Fewer values than this have no interval for their median at 95 %: all may lie on one side of it by chance. */
const FEWEST_SAMPLES = 6

/** Two runs, point by point. */
export interface Comparison {
  readonly before: { readonly date: string; readonly scale: Scale; readonly versions: Results['versions'] }
  /** Why the two may not be comparable. */
  readonly warnings: readonly string[]
  /**
   * As a ratio over 1: what the same fixed work differed by within the two runs. A difference has to be larger before it is told
   * from the machine's own.
   */
  readonly margin: number
  readonly changes: readonly Change[]
  /** What only one of the two measured, as `scenario: subject`. */
  readonly onlyNow: readonly string[]
  readonly onlyBefore: readonly string[]
}

export interface Change {
  readonly scenario: string
  readonly subject: string
  readonly variant?: string
  readonly at?: number | string
  readonly unit: Unit
  /** Medians. */
  readonly now: number
  readonly before: number
  /** Now over before, and its 95 % interval; absent where it cannot be told: too few values, or a median of 0. */
  readonly ratio?: number
  readonly interval?: readonly [low: number, high: number]
  readonly verdict: Verdict
}

export type Verdict = 'faster' | 'slower' | 'better' | 'worse' | 'no difference proven'

/**
 * What changed from `before` to `now`. A difference is proven when the whole 95 % interval of the ratio of the medians lies beyond
 * `margin`: the interval alone knows what varied within each run, not what the machine does differently from one run to the next.
 * One point in twenty may still be wrong where many are compared.
 */
export function compare(now: Results, before: Results): Comparison {
  const margin = Math.max(1, now.noise.spread, before.noise.spread)
  const [ofNow, ofBefore] = [pointsOf(now), pointsOf(before)]
  const changes = [...ofNow].flatMap(([key, current]) => {
    const earlier = ofBefore.get(key)
    return earlier === undefined ? [] : [changeOf(current, earlier.point, margin)]
  })
  return {
    before: { date: before.date, scale: before.scale, versions: before.versions },
    warnings: warningsOf(now, before),
    margin,
    changes,
    onlyNow: missingFrom(ofBefore, ofNow),
    onlyBefore: missingFrom(ofNow, ofBefore),
  }
}

interface Measured {
  readonly scenario: ScenarioResult
  readonly subject: string
  readonly variant?: string
  readonly point: Point
}

/** By what says that two points measured the same; a unit that changed makes them different. */
function pointsOf({ scenarios }: Results): ReadonlyMap<string, Measured> {
  const all = new Map<string, Measured>()
  for (const scenario of scenarios) {
    for (const { subject, variant, points } of scenario.series) {
      for (const point of points) {
        const key = JSON.stringify([scenario.name, scenario.unit, subject, variant, point.at])
        all.set(key, { scenario, subject, ...(variant === undefined ? {} : { variant }), point })
      }
    }
  }
  return all
}

function changeOf({ scenario, subject, variant, point }: Measured, earlier: Point, margin: number): Change {
  const interval = intervalOf(point, earlier)
  return {
    scenario: scenario.name,
    subject,
    ...(variant === undefined ? {} : { variant }),
    ...(point.at === undefined ? {} : { at: point.at }),
    unit: scenario.unit,
    now: point.p50,
    before: earlier.p50,
    ...(interval === undefined ? {} : { ratio: point.p50 / earlier.p50, interval }),
    verdict: interval === undefined ? 'no difference proven' : verdictOf(scenario, interval, margin),
  }
}

function intervalOf(now: Point, before: Point): Change['interval'] {
  if (Math.min(now.samples.length, before.samples.length) < FEWEST_SAMPLES) return undefined
  if (now.p50 <= 0 || before.p50 <= 0) return undefined
  const interval = ratioOfMedians(now.samples, before.samples)
  // A resampled median may be 0 where some values are.
  return interval.every(Number.isFinite) ? interval : undefined
}

function verdictOf({ unit, better }: ScenarioResult, [low, high]: readonly [number, number], margin: number): Verdict {
  const isTime = unit === 'ns' || unit === 'µs' || unit === 'ms' || unit === 's' || unit === 'per second'
  const [good, bad] = isTime ? (['faster', 'slower'] as const) : (['better', 'worse'] as const)
  if (low > margin) return better === 'lower' ? bad : good
  if (high < 1 / margin) return better === 'lower' ? good : bad
  return 'no difference proven'
}

function warningsOf(now: Results, before: Results): readonly string[] {
  const differing = MACHINE_FACTS.filter(([fact]) => now.machine[fact] !== before.machine[fact]).map(
    ([fact, title]) => `${title} differs: ${now.machine[fact]} now, ${before.machine[fact]} before.`,
  )
  const machines = differing.length === 0 ? [] : ['The machines differ: no difference below says anything of the code.']
  const scales =
    now.scale === before.scale
      ? []
      : [
          `The scales differ: ${now.scale} now, ${before.scale} before. Samples are longer or shorter, and medians move.`,
        ]
  const priorities =
    now.noise.priority === before.noise.priority
      ? []
      : [`The priorities differ: ${now.noise.priority} now, ${before.noise.priority} before.`]
  return [...machines, ...differing, ...scales, ...priorities]
}

const MACHINE_FACTS: readonly (readonly [keyof Machine, string])[] = [
  ['cpus', 'The processor'],
  ['memoryGb', 'The memory in GB'],
  ['kernel', 'The kernel'],
  ['filesystem', 'The file system'],
  ['node', 'Node.js'],
  ['virtualization', 'The virtualization'],
]

function missingFrom(here: ReadonlyMap<string, Measured>, there: ReadonlyMap<string, Measured>): readonly string[] {
  const missing = [...there].filter(([key]) => !here.has(key))
  return [...new Set(missing.map(([, { scenario, subject }]) => `${scenario.name}: ${subject}`))]
}
