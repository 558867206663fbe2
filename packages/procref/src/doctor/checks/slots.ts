import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { isMovedAway, PIN_FILE, slotOfFileName } from '@procref/core'
import type { Check, Finding } from '../check.ts'
import { isOurs, lookAtEntry } from '../entry.ts'
import { faultsOf, namesOf } from '../entry-findings.ts'

const COUNTS_AS_HELD = 'A slot that cannot be looked at counts as held, so the server never stops by itself.'

/** The files in `slots/`: plain, ours, closed to others, none beyond the pool. */
export const slots: Check = {
  id: 'slots',
  looksAt: 'the files in slots/: kind, owner, mode, number',
  where: 'inside',
  examine({ paths, pin, slotsDir }) {
    const names = listSlots(slotsDir)
    // Where they were before they were moved there is a link that leads nowhere in the place of each file.
    const files = [...new Set([slotsDir, paths.slots])]
      .flatMap((dir) => listSlots(dir).map((name) => join(dir, name)))
      .filter((path) => !isMovedAway(path))
    const size = 'value' in pin ? pin.value?.slots : undefined
    const beyond = size === undefined ? [] : names.filter((name) => (slotOfFileName(name) ?? -1) >= size)
    const [folders, plain] = partition(files)
    const expected = { role: 'slots', mendable: true, consequence: COUNTS_AS_HELD } as const
    return {
      found: names.length === 0 ? 'none yet' : `${names.length} files`,
      findings: [
        ...faultsOf(plain, { ...expected, should: 'file' }),
        ...faultsOf(folders, { ...expected, should: 'directory' }),
        ...(beyond.length === 0
          ? []
          : [
              beyondPool(
                beyond.map((name) => join(slotsDir, name)),
                size ?? 0,
              ),
            ]),
      ],
    }
  },
}

/** Folders that some backends keep beside their files, and everything that has to be a file. */
function partition(files: readonly string[]): readonly [readonly string[], readonly string[]] {
  const isFolder = (path: string): boolean =>
    slotOfFileName(basename(path)) === undefined &&
    basename(path) !== PIN_FILE &&
    lookAtEntry(path, 'file').kind === 'other' &&
    lookAtEntry(path, 'directory').kind !== 'other'
  return [files.filter(isFolder), files.filter((path) => !isFolder(path))]
}

function listSlots(dir: string): readonly string[] {
  if (!isOurs(lookAtEntry(dir, 'directory'))) return []
  return readdirSync(dir).sort()
}

function beyondPool(files: readonly string[], size: number): Finding {
  return {
    code: 'beyond-pool',
    severity: 'note',
    path: files[0] ?? '',
    found: `${namesOf(files)}: slots beyond the ${size} that protocol.json names.`,
    why: 'Nobody claims them any more. A program that still holds one counts as a user, and keeps the server up.',
    remedy: '`procref ps` shows whether somebody holds one. Deleting them, while nothing runs, does no harm.',
  }
}
