import { endAs } from '../run/program.ts'
import { ENDING_SIGNALS, ToldToEnd } from '../until-told.ts'
import { EXIT_CODE } from './exit-code.ts'

/**
 * Runs `work`, which is told by its signal when the user or a supervisor wants it to end, so that it can clean up; then the process ends as
 * the signal would have ended it. A second signal of the same kind ends it at once.
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
  } finally {
    for (const name of ENDING_SIGNALS) process.off(name, onSignal)
    if (came !== undefined) endAs({ kind: 'killed', signal: came })
  }
}
