import { join } from 'node:path'
import { UnsupportedByNature } from '../actor/json-process.ts'
import { saidBy } from '../actor/said-by.ts'
import { eachAtOnce } from '../each-at-once.ts'
import type { Experiment } from '../experiment.ts'
import type { ExperimentResult } from '../results.ts'
import type { ScenarioContext, UsableSubject } from '../scenario.ts'

/** What was seen of one subject. */
export type Seen = Pick<ExperimentResult, 'verdict' | 'finding' | 'evidence' | 'tookMs'>

/**
 * Observes every subject, at most `atOnce` of them at the same time (1, unless told: more only where most of the time is spent waiting).
 * What a subject cannot do by its nature, or has no meaning for it, is `not-applicable`; one that fails is `unanswered`, with its error,
 * and the others go on. In the order of the subjects.
 */
export async function overEach(
  experiment: Pick<Experiment, 'name' | 'title'>,
  context: ScenarioContext,
  options: {
    readonly atOnce?: number
    /** Also asked of a subject that only threads of control of one process share. */
    readonly alsoInProcess?: true
    /** `dir` does not exist yet. */
    readonly observe: (usable: UsableSubject, dir: string) => Promise<Seen>
  },
): Promise<readonly ExperimentResult[]> {
  return await eachAtOnce(context.subjects, options.atOnce ?? 1, async (usable) => {
    context.signal.throwIfAborted()
    context.say(usable.subject.title)
    const { name } = usable.subject
    const seen =
      usable.subject.betweenProcesses || options.alsoInProcess === true
        ? await seenOf(() => options.observe(usable, join(context.home, name)), context.signal)
        : { verdict: 'not-applicable' as const, finding: 'one process only', evidence: 'No two processes share it.' }
    // A folder that is gone tomorrow says nothing to a reader.
    const evidence = seen.evidence.replaceAll(context.home, '…')
    return { experiment: experiment.name, title: experiment.title, subject: name, ...seen, evidence }
  })
}

async function seenOf(observe: () => Promise<Seen>, signal: AbortSignal): Promise<Seen> {
  try {
    return await observe()
  } catch (error) {
    signal.throwIfAborted()
    const evidence = saidBy(error)
    if (error instanceof UnsupportedByNature) return { verdict: 'not-applicable', finding: 'cannot be done', evidence }
    return { verdict: 'unanswered', finding: 'it failed', evidence }
  }
}
