import { lstatSync, unlinkSync } from 'node:fs'
import { readRequest } from '@procref/lifecycle'
import type { Check, Finding } from '../check.ts'
import { recordOf } from '../look-around.ts'

/** A guardian sees a request at once, or at its beat of 5 s. */
const SEEN_WITHIN_MS = 15_000

/** `request.json`: is it for the guardian that lives, and is it heard? */
export const request: Check = {
  id: 'request',
  looksAt: 'request.json: what `procref stop` or `restart` asked of the guardian',
  where: 'inside',
  examine(seen) {
    const { paths, guardian } = seen
    const path = paths.requestJson
    const stat = lstatSync(path, { throwIfNoEntry: false })
    if (stat === undefined || !stat.isFile()) return { found: 'none', findings: [] }
    const asked = readRequest(path)
    if (asked === undefined) return { found: 'none', findings: [] }
    const heard = asked !== 'damaged' && guardian === 'alive' && asked.nonce === recordOf(seen)?.nonce
    if (!heard) return { found: 'one that nobody will hear', findings: [unheard(path, asked === 'damaged', guardian)] }
    const ageMs = Date.now() - stat.mtimeMs
    if (ageMs < SEEN_WITHIN_MS) return { found: 'one that is about to be heard', findings: [] }
    return { found: 'one that is not heard', findings: [ignored(path, ageMs)] }
  },
}

function unheard(path: string, damaged: boolean, guardian: string): Finding {
  return {
    code: 'request-left-over',
    severity: 'note',
    path,
    found: damaged ? `${path} is no request.` : `${path} asks a guardian that is gone.`,
    why: 'Who asked was killed. Another guardian ignores it.',
    remedy:
      guardian === 'alive'
        ? 'Nothing: the guardian removes it at its next beat (5 s).'
        : 'Nothing: the next guardian removes it.',
    fix: {
      does: 'remove it',
      did: 'removed it',
      needs: 'no-guardian',
      paths: [path],
      // Whatever is there now: only a guardian could answer it, and there is none.
      apply: unlinkSync,
    },
  }
}

function ignored(path: string, ageMs: number): Finding {
  return {
    code: 'request-ignored',
    severity: 'problem',
    path,
    found: `The guardian was asked something ${Math.round(ageMs / 1000)} s ago, and has not taken the request.`,
    why: 'It looks at its beat of 5 s, so it stands still or waits for something.',
    remedy: 'See the check "guardian", and `procref why`.',
  }
}
