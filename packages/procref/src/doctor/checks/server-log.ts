import { closeSync, lstatSync } from 'node:fs'
import { capServerLog, openServerLog, SERVER_LOG_LIMIT_BYTES } from '@procref/lifecycle'
import { size } from '../../cli/size.ts'
import type { Check, Finding } from '../check.ts'

/** `server.log`: within the limit that a guardian keeps. */
export const serverLog: Check = {
  id: 'server-log',
  looksAt: 'server.log: its size',
  where: 'inside',
  examine({ paths }) {
    const stat = lstatSync(paths.serverLog, { throwIfNoEntry: false })
    if (stat === undefined) return { found: 'none yet', findings: [] }
    // Said by the check of the files.
    if (!stat.isFile()) return { found: 'not to be used', findings: [] }
    return { found: size(stat.size), findings: tooLong(paths.serverLog, stat.size) }
  },
}

function tooLong(path: string, bytes: number): readonly Finding[] {
  // A guardian cuts at its beat: what is written within a few seconds is no fault.
  if (bytes <= 2 * SERVER_LOG_LIMIT_BYTES) return []
  return [
    {
      code: 'server-log-too-long',
      severity: 'warning',
      path,
      found: `${path} has ${size(bytes)}; a guardian keeps it below ${size(SERVER_LOG_LIMIT_BYTES)}.`,
      why: 'It takes space that the database may need.',
      remedy: 'The next guardian cuts it to its end. `procref logs` shows what fills it.',
      fix: {
        does: 'cut it to its last lines, in place',
        did: 'cut it to its last lines',
        needs: 'no-guardian',
        paths: [path],
        apply: cut,
      },
    },
  ]
}

function cut(path: string): void {
  const fd = openServerLog(path)
  try {
    capServerLog(fd, SERVER_LOG_LIMIT_BYTES)
  } finally {
    closeSync(fd)
  }
}
