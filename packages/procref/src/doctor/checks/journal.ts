import { closeSync, constants, openSync } from 'node:fs'
import { errnoOf } from '@procref/core'
import { blankTornLine, examineJournal, JOURNAL_LIMIT_BYTES, Journal, type JournalCondition } from '@procref/lifecycle'
import { size } from '../../cli/size.ts'
import type { Check, Finding } from '../check.ts'
import { isOurs, lookAtEntry } from '../entry.ts'
import { attempt } from '../look-around.ts'
import { messageOf } from '../message.ts'

/** `journal.ndjson`: writable, of a sane size, its lines whole. No decision depends on it; people do. */
export const journal: Check = {
  id: 'journal',
  looksAt: 'journal.ndjson: writable, its size, its lines',
  where: 'inside',
  async examine({ paths }) {
    const entry = lookAtEntry(paths.journal, 'file')
    if (entry.kind === 'missing') return { found: 'none yet', findings: [] }
    // Said by the check of the files.
    if (!isOurs(entry)) return { found: 'not to be used', findings: [] }
    const writable = await attempt(() => openForAppending(paths.journal))
    const condition = examineJournal(paths.journal)
    if (condition === undefined) return { found: 'none yet', findings: [] }
    return {
      found: size(condition.bytes),
      findings: [
        // Of a file system that is read-only the check of the disk says so.
        ...('error' in writable && errnoOf(writable.error) !== 'EROFS'
          ? [notWritable(paths.journal, writable.error)]
          : []),
        ...tooLong(paths.journal, condition),
        ...tornLine(paths.journal, condition),
        ...damagedLines(paths.journal, condition),
      ],
    }
  },
}

function openForAppending(path: string): void {
  closeSync(
    openSync(path, constants.O_WRONLY | constants.O_APPEND | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)),
  )
}

function notWritable(path: string, error: unknown): Finding {
  return {
    code: 'journal-not-writable',
    severity: 'warning',
    path,
    found: `${path} cannot be written: ${messageOf(error)}.`,
    why: 'Everything works without it, but `procref why` will not know what happened.',
    remedy: 'See to what the message says (`ls -l`, `lsattr`, `mount`).',
  }
}

function tooLong(path: string, { bytes }: JournalCondition): readonly Finding[] {
  // A guardian rotates at its beat: a little more is no fault.
  if (bytes <= 2 * JOURNAL_LIMIT_BYTES) return []
  return [
    {
      code: 'journal-too-long',
      severity: 'warning',
      path,
      found: `${path} has ${size(bytes)}; a guardian keeps it below ${size(JOURNAL_LIMIT_BYTES)}.`,
      why: 'It takes space, and only its end is read. Somebody appends to it and no guardian lives long enough to rotate it.',
      remedy: 'See `procref why` for what repeats itself. The next guardian rotates it.',
      fix: {
        does: 'rotate it, as a guardian does',
        did: `moved it to ${path}.old`,
        needs: 'no-guardian',
        paths: [path],
        apply: rotate,
      },
    },
  ]
}

function rotate(path: string): void {
  const journal = new Journal(path)
  journal.rotateIfLarge()
  if (journal.failure !== undefined) throw journal.failure
}

function tornLine(path: string, { torn }: JournalCondition): readonly Finding[] {
  if (torn === undefined) return []
  return [
    {
      code: 'journal-torn',
      severity: 'note',
      path,
      found: `The last line of ${path} has no end (${torn.bytes} bytes of it).`,
      why: 'Whoever wrote it was killed, or the disk was full. It spoils no other line.',
      remedy: 'Nothing: the next line is written on a line of its own.',
      fix: {
        does: 'make the torn line a blank one',
        did: 'made the torn line a blank one',
        needs: 'nothing',
        paths: [path],
        apply() {
          if (!blankTornLine(path, torn)) throw new Error('somebody has written to it meanwhile')
        },
      },
    },
  ]
}

function damagedLines(path: string, { damagedLines }: JournalCondition): readonly Finding[] {
  if (damagedLines === 0) return []
  return [
    {
      code: 'journal-damaged',
      severity: 'note',
      path,
      found: `${damagedLines} ${damagedLines === 1 ? 'line' : 'lines'} of ${path} cannot be read.`,
      why: '`procref why` leaves them out. A disk that was full, or an editor, does that.',
      remedy: 'Nothing: they go with the next rotation.',
    },
  ]
}
