import type { Scale, ScenarioResult, Series } from './results.ts'
import type { Service } from './service.ts'
import type { PreparedSubject, Subject } from './subject.ts'

/** A question that is answered with numbers. One file each, in `scenarios/`. */
export interface Scenario {
  readonly name: string
  readonly title: string
  /** In the smallest run that it takes part in; `quick` also runs what `guard` does, `full` everything. */
  readonly scale: Scale
  readonly needsLinux?: true
  /** Several results, where one measurement answers several questions: the first has the scenario's name. */
  measure(context: ScenarioContext): Promise<ScenarioResult | readonly ScenarioResult[]>
}

export interface ScenarioContext {
  /** An empty folder of its own. */
  readonly home: string
  readonly scale: Scale
  /** Those that can be used and were chosen, in the order of the report. */
  readonly subjects: readonly UsableSubject[]
  /** As well, for scenarios of whole services. */
  readonly services: readonly UsableService[]
  /** For the person who watches: what is being done now. */
  say(message: string): void
  readonly signal: AbortSignal
}

export interface UsableSubject {
  readonly subject: Subject
  readonly prepared: PreparedSubject
}

export interface UsableService {
  readonly service: Service
  readonly version: string
}

/** What the subjects (or services) of one scenario gave, gathered by `overSubjects` or `overServices`. */
export interface Gathered {
  readonly series: readonly Series[]
  readonly leftOut: ScenarioResult['leftOut']
  readonly failed: ScenarioResult['failed']
}
