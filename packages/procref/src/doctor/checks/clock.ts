import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Check } from '../check.ts'
import { namesOf } from '../entry-findings.ts'

/** Beyond what clocks of file systems and of the machine differ by. */
const TOLERANCE_MS = 60_000

/** Is a file in the directory, or in a folder of slots, dated in the future? */
export const clock: Check = {
  id: 'clock',
  looksAt: 'the clock, against the times of the files',
  where: 'inside',
  examine({ paths }) {
    const now = Date.now()
    const early = [paths.root, paths.slots, paths.externalSlots].flatMap((dir) => newerThan(now + TOLERANCE_MS, dir))
    if (early.length === 0) return { found: new Date(now).toISOString(), findings: [] }
    return {
      found: `${early.length} ${early.length === 1 ? 'file is' : 'files are'} from the future`,
      findings: [
        {
          code: 'files-from-the-future',
          severity: 'warning',
          path: early[0] ?? '',
          found: `${namesOf(early)} ${early.length === 1 ? 'was' : 'were'} changed later than now.`,
          why: 'The clock was set back, or is wrong. Timers do not depend on it; ages that are shown do, and a server may linger once more before it stops.',
          remedy: 'Set the clock (`timedatectl`). If it is right now: `touch` the files.',
        },
      ],
    }
  },
}

function newerThan(time: number, dir: string): readonly string[] {
  let names: readonly string[]
  try {
    names = readdirSync(dir)
  } catch {
    // Said by the check of the directory.
    return []
  }
  return names
    .map((name) => join(dir, name))
    .filter((path) => (lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) > time)
}
