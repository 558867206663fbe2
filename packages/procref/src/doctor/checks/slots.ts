import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { isMovedAway, PIN_FILE, slotOfFileName } from '@procref/core'
import type { Check, Examination, Finding } from '../check.ts'
import { isOurs, lookAtEntry } from '../entry.ts'
import { faultsOf, namesOf } from '../entry-findings.ts'
import { ofEachPool, type PoolSeen } from '../pools.ts'

const COUNTS_AS_HELD: Readonly<Record<PoolSeen['of'], string>> = {
  own: 'A slot that cannot be looked at counts as held, so the server never stops by itself.',
  elsewhere: 'A slot that cannot be looked at counts as held: programs that use a server elsewhere have one less.',
}

/** The files in `slots/` and `external/`: plain, ours, closed to others, none beyond the pool. */
export const slots: Check = {
  id: 'slots',
  looksAt: 'the files in slots/ and external/: kind, owner, mode, number',
  where: 'inside',
  examine: (seen) => ofEachPool(seen, lookAtFiles),
}

function lookAtFiles({ of, folder, pin, slotsDir }: PoolSeen): Examination {
  const names = listSlots(slotsDir)
  // Where they were before they were moved there is a link that leads nowhere in the place of each file.
  const files = [...new Set([slotsDir, folder])]
    .flatMap((dir) => listSlots(dir).map((name) => join(dir, name)))
    .filter((path) => !isMovedAway(path))
  const size = 'value' in pin ? pin.value?.slots : undefined
  const beyond = size === undefined ? [] : names.filter((name) => (slotOfFileName(name) ?? -1) >= size)
  const [folders, plain] = partition(files)
  const expected = { role: 'slots', mendable: true, consequence: COUNTS_AS_HELD[of] } as const
  return {
    found: names.length === 0 ? 'none yet' : `${names.length} files`,
    findings: [
      ...faultsOf(plain, { ...expected, should: 'file' }),
      ...faultsOf(folders, { ...expected, should: 'directory' }),
      ...(beyond.length === 0
        ? []
        : [
            beyondPool(
              of,
              beyond.map((name) => join(slotsDir, name)),
              size ?? 0,
            ),
          ]),
    ],
  }
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

function beyondPool(of: PoolSeen['of'], files: readonly string[], size: number): Finding {
  return {
    code: 'beyond-pool',
    severity: 'note',
    path: files[0] ?? '',
    found: `${namesOf(files)}: slots beyond the ${size} that protocol.json names.`,
    why: `Nobody claims them any more. A program that still holds one counts as a user${of === 'own' ? ', and keeps the server up' : ''}.`,
    remedy: '`procref ps` shows whether somebody holds one. Deleting them, while nothing runs, does no harm.',
  }
}
