import { tailServerLog } from '@procref/lifecycle'
import { resolvePlace } from '../place.ts'
import type { ServerOptions } from './status.ts'

export function readLogs(options: ServerOptions & { readonly last: number }): readonly string[] {
  return tailServerLog(resolvePlace(options).serverLog, options.last)
}
