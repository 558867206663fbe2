import { whileWaiting } from '../cli/progress.ts'
import { size } from '../cli/size.ts'
import { untilSignal } from '../cli/until-signal.ts'
import { type DatabaseName, nameOf } from '../data/errors.ts'

/** What a command that moves data hands on to the function that does it. */
interface Reporting {
  readonly signal: AbortSignal
  readonly onProgress: (progress: { readonly message: string }) => void
  readonly onBytes: (bytes: number, database?: DatabaseName) => void
}

/** Runs it with a line on a terminal that says how far it is; a signal ends it once it has cleaned up. */
export async function whileMoving<T>(doing: string, work: (reporting: Reporting) => Promise<T>): Promise<T> {
  return await untilSignal((signal) =>
    whileWaiting((onProgress) =>
      work({
        signal,
        onProgress,
        onBytes: (bytes, database) => {
          const what = database === undefined ? doing : `${doing} ${nameOf(database)}`
          onProgress({ message: `${what}: ${size(bytes)}` })
        },
      }),
    ),
  )
}
