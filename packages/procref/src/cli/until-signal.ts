import { endAs } from '../run/program.ts'
import { ENDING_SIGNALS, ToldToEnd } from '../until-told.ts'
import { EXIT_CODE } from './exit-code.ts'
import { reportError } from './report-error.ts'

/**
 * Runs `work`, which is told by its signal when the user or a supervisor wants it to end, so that it can clean up; then its error is told,
 * and the process ends as the signal would have ended it. A second signal of the same kind ends it at once.
 *
 * Guarantee: a process that ends before `work` has settled, because nothing keeps it alive, ends with exit code 1.
 */
export async function untilSignal<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const told = new AbortController()
  let came: NodeJS.Signals | undefined
  const onSignal = (name: NodeJS.Signals): void => {
    came ??= name
    told.abort(new ToldToEnd(name))
  }
  for (const name of ENDING_SIGNALS) process.once(name, onSignal)
  process.exitCode = EXIT_CODE.failed
  try {
    const result = await work(told.signal)
    process.exitCode = EXIT_CODE.done
    return result
  } catch (error) {
    // Nobody else gets to tell it.
    if (came !== undefined) reportError(error, 'text')
    throw error
  } finally {
    for (const name of ENDING_SIGNALS) process.off(name, onSignal)
    if (came !== undefined) endAs({ kind: 'killed', signal: came })
  }
}
