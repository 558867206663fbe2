import type { PointName } from '../point-of.ts'
import type { Scenario } from '../scenario.ts'
import type { Service } from '../service.ts'
import type { Subject } from '../subject.ts'

/** Two numbers that one scenario gives in one run: what the project's part costs, over what it is made of. */
export interface GuardedRatio {
  readonly name: string
  readonly title: string
  readonly scenario: Scenario
  /** All that both sides need. */
  readonly subjects: readonly Subject[]
  readonly services: readonly Service[]
  readonly over: Side
  readonly under: Side
  /**
   * Far above what it is on a quiet machine, since nobody may be accused wrongly, and below what a mistake makes of it: work done twice, one
   * more hop between threads, a look at everything.
   */
  readonly limit: number
}

/** A point of the scenario's result. */
export type Side = Omit<PointName, 'scenario'>
