import { tailServerLog } from '@procref/lifecycle'
import { print } from '../cli/output.ts'
import { followLog } from '../follow-log.ts'
import { type PlaceOptions, resolvePlace } from '../place.ts'

export interface LogOptions extends PlaceOptions {
  readonly last: number
  readonly follow?: boolean
}

/** Prints the end of the server's own output; with `follow`, what is added as well, until the process is ended. */
export async function printLogs(options: LogOptions): Promise<void> {
  const { serverLog } = resolvePlace(options.dir)
  if (options.follow === true) {
    await followLog(serverLog, options.last, print)
    return
  }
  for (const line of tailServerLog(serverLog, options.last)) print(line)
}
