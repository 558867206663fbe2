/** The one document that a run leaves behind (`results.json`), and all that the report, the tables and `--compare` are made from. */
export interface Results {
  /** Of this form; a reader refuses another one. */
  readonly format: 1
  /** When it began, ISO 8601. */
  readonly date: string
  readonly tookSeconds: number
  readonly scale: Scale
  readonly machine: Machine
  readonly noise: Noise
  /** Of procref and of what was measured beside it. */
  readonly versions: Readonly<Record<string, string>>
  readonly subjects: readonly SubjectInfo[]
  readonly services: readonly ServiceInfo[]
  readonly scenarios: readonly ScenarioResult[]
  readonly experiments: readonly ExperimentResult[]
  readonly goals: readonly GoalResult[]
}

/** `guard`: two minutes, for CI; `quick`: within ten minutes, for a person; `full`: for the record. */
export type Scale = 'guard' | 'quick' | 'full'

/** Nothing that names the machine, all that its numbers depend on. */
export interface Machine {
  readonly cpus: string
  readonly memoryGb: number
  readonly kernel: string
  readonly filesystem: string
  readonly node: string
  readonly virtualization: string
}

/** What else was going on. Ratios within a run stand it, absolute times do not. */
export interface Noise {
  readonly loadBefore: number
  readonly loadAfter: number
  /** The share of the processors' time that the hypervisor gave to others, 0 to 1; undefined where that is not told. */
  readonly steal?: number
  /** The same fixed piece of work, timed again and again during the run: its 95th percentile over its median. */
  readonly spread: number
  readonly priority: 'normal' | 'real-time'
}

export interface SubjectInfo {
  readonly name: string
  readonly title: string
  readonly summary: string
  readonly kind: string
  readonly maxSlots: number
  readonly betweenProcesses: boolean
  readonly waits: string
  readonly version?: string
  /** Present when it was not measured. */
  readonly unavailable?: { readonly reason: string; readonly remedy: string }
}

/** One way in which processes come to a database, see `service.ts`. */
export interface ServiceInfo {
  readonly name: string
  readonly title: string
  readonly summary: string
  readonly kind: string
  readonly version?: string
  /** Present when it was not measured. */
  readonly unavailable?: { readonly reason: string; readonly remedy: string }
}

export interface ScenarioResult {
  readonly name: string
  readonly title: string
  /** What a reader wants to know of it. */
  readonly question: string
  /** How it was measured, in sentences. */
  readonly method: string
  readonly unit: Unit
  readonly better: 'lower' | 'higher'
  /** What grows from point to point of a series; absent: each series has one point. */
  readonly axis?: { readonly title: string; readonly scale: 'log' | 'linear' | 'category' }
  readonly series: readonly Series[]
  /** Subjects and services for which it has no meaning, each with the reason. */
  readonly leftOut: readonly { readonly subject: string; readonly reason: string }[]
  /** Subjects and services that failed in it: shown, and the run's exit code is not 0. */
  readonly failed: readonly { readonly subject: string; readonly message: string }[]
}

export type Unit = 'ns' | 'µs' | 'ms' | 's' | 'MB' | 'per second' | 'ratio' | 'count'

export interface Series {
  /** A subject's or a service's name. */
  readonly subject: string
  /** Where one subject has several in one scenario: `p99`, `without registry`. */
  readonly variant?: string
  readonly points: readonly Point[]
  /** Of the power law fitted to the medians over the axis: 0 is flat, 1 linear. */
  readonly exponent?: { readonly value: number; readonly low: number; readonly high: number }
}

export interface Point {
  /** On the scenario's axis. */
  readonly at?: number | string
  readonly n: number
  readonly min: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly max: number
  /** Of the median, 95 %, by bootstrap. */
  readonly interval: readonly [low: number, high: number]
  /**
   * The median of each turn, where a scenario measures in turns: the nth turns of all series met the same minute, so ratios between
   * series are made turn by turn.
   */
  readonly turns?: readonly number[]
  /** Sorted, 200 at most, evenly over the ranks. */
  readonly samples: readonly number[]
}

/** One cell of the table of correctness. */
export interface ExperimentResult {
  readonly experiment: string
  readonly title: string
  readonly subject: string
  /** `holds`: as a user would wish; `breaks`: not; `unanswered`: it could not be found out here. */
  readonly verdict: 'holds' | 'breaks' | 'not-applicable' | 'unanswered'
  /** A few words for the cell. */
  readonly finding: string
  /** What was done and seen, so that a reader can repeat it. */
  readonly evidence: string
  /** The time in the finding, where it is one: until a permit was free again, say. */
  readonly tookMs?: number
}

export interface GoalResult {
  readonly goal: string
  /** Two numbers of this run and the limit between them, as computed. */
  readonly value: number
  readonly limit: number
  readonly unit: Unit
  readonly better: 'lower' | 'higher'
  readonly isMet: boolean
}
