import type { ExperimentResult, Scale } from './results.ts'
import type { ScenarioContext } from './scenario.ts'

/** What happens when …: done to every subject with real processes, seen from outside. One file each, in `experiments/`. */
export interface Experiment {
  readonly name: string
  readonly title: string
  readonly scale: Scale
  readonly needsLinux?: true
  /** One result a subject; it never throws because of one subject: that one's verdict is `unanswered`, with the reason. */
  observe(context: ScenarioContext): Promise<readonly ExperimentResult[]>
}
