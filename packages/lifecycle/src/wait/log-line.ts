import { tailServerLog } from '../state/server-log.ts'
import type { WaitStrategy } from './wait.ts'

/** Lines looked at: a server that writes more than this between two looks has said its word more than once. */
const LINES = 200

/** Ready when a line of the server's output matches. Caller: a pattern that an earlier life's last lines do not match. */
export function logLineSeen(options: { readonly pattern: string }): WaitStrategy {
  const pattern = new RegExp(options.pattern)
  return {
    what: `a line that matches ${pattern}`,
    ready: async ({ logFile }) => tailServerLog(logFile, LINES).some((line) => pattern.test(line)),
  }
}
