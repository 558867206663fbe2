import { lastWords } from '../state/server-log.ts'
import type { WaitStrategy } from './wait.ts'

/** Lines looked at: a server that writes more than this between two looks has said its word more than once. */
const LINES = 200

/** Ready when a line of the server's output matches. Unspecified: colours and other terminal controls are not in it. */
export function logLineSeen(options: { readonly pattern: string }): WaitStrategy {
  const pattern = new RegExp(options.pattern)
  return {
    what: `a line of its output that matches ${pattern}`,
    tellsHealth: false,
    look: async ({ logFile, logStart }) => {
      const lines = lastWords(logFile, LINES, logStart)
      return lines.some((line) => pattern.test(line))
        ? undefined
        : `its last line is ${JSON.stringify(lines.at(-1) ?? '')}`
    },
  }
}
