import { lstatSync, readdirSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { FileLocker } from '@procref/core'
import {
  halfDeleted,
  type Layout,
  leftStages,
  listNonceFiles,
  type NonceFile,
  probeAlive,
  readServerRecord,
  readTakeover,
} from '@procref/lifecycle'
import type { Check, Finding } from '../check.ts'
import { isOurs, lookAtEntry } from '../entry.ts'
import { namesOf } from '../entry-findings.ts'
import { attempt } from '../look-around.ts'

/** A writer is done within milliseconds; docs/slot-directory.md gives those of the slots a minute. */
const OLD_MS = 60_000
const SLOT_TEMPORARY = /^(protocol\.json|medium-test)\..*\.tmp$/

/** Files of guardians and writers that are dead: harmless, and in nobody's way but the reader's. */
export const leftovers: Check = {
  id: 'leftovers',
  looksAt: 'files that dead guardians and writers left',
  where: 'inside',
  async examine(seen) {
    const { paths } = seen
    const { locks } = seen
    if (locks === undefined) return { found: 'cannot be told without a backend', findings: [] }
    // Read afresh: a guardian may have come since, and its files are no leftovers.
    const record = await attempt(() => readServerRecord(paths.serverJson))
    // Without knowing which nonce is recorded, none can be said to be somebody else's.
    if ('error' in record || (record.value === undefined && isThere(paths))) {
      return { found: 'cannot be told without server.json', findings: [] }
    }
    const recorded = record.value?.nonce
    const { alive, temporary } = listNonceFiles(paths)
    const dead = (nonce: string): boolean => isDead(locks, paths, nonce)
    const deadAlive = alive.filter(({ nonce }) => nonce !== recorded && dead(nonce))
    const known = new Set([recorded, ...alive.map(({ nonce }) => nonce)])
    // The nonce of a request is its writer's own, and has no lock that could tell: only its age does.
    const deadTemporary = temporary.filter(({ nonce, ageMs }) => dead(nonce) && (known.has(nonce) || ageMs > OLD_MS))
    const pools = seen.elsewhere === undefined ? [seen] : [seen, seen.elsewhere]
    const folders = new Set(pools.flatMap(({ folder, slotsDir }) => [folder, slotsDir]))
    const ofSlots = [...folders].flatMap(oldSlotTemporaries)
    const databases = halfDeleted(paths)
    const takeOvers = [...leftStages(paths.root).map(leftStage), ...oldFolder(paths)]
    const found = deadAlive.length + deadTemporary.length + ofSlots.length + databases.length + takeOvers.length
    return {
      found: found === 0 ? 'none' : String(found),
      findings: [
        ...aliveFiles(deadAlive, locks, paths),
        ...temporaries(deadTemporary, locks, paths),
        ...slotTemporaries(ofSlots),
        ...databases.map(halfDeletedDatabase),
        ...takeOvers,
      ],
    }
  },
}

function isThere({ serverJson }: Layout): boolean {
  return lookAtEntry(serverJson, 'file').kind !== 'missing'
}

function isDead(locks: FileLocker, paths: Layout, nonce: string): boolean {
  return probeAlive(locks, paths.aliveLock(nonce)) === 'absent'
}

function aliveFiles(dead: readonly NonceFile[], locks: FileLocker, paths: Layout): readonly Finding[] {
  return leftover(dead, {
    code: 'alive-file',
    what: 'the alive lock of a guardian that is dead',
    safe: ({ nonce }) => isDead(locks, paths, nonce),
    remove(path) {
      removeIfThere(path)
      locks.discard?.(path)
    },
  })
}

function temporaries(dead: readonly NonceFile[], locks: FileLocker, paths: Layout): readonly Finding[] {
  return leftover(dead, {
    code: 'temporary-file',
    what: 'a temporary or spare file of a process that is dead',
    safe: ({ nonce }) => isDead(locks, paths, nonce),
    remove: removeIfThere,
  })
}

function leftover(
  files: readonly NonceFile[],
  {
    code,
    what,
    safe,
    remove,
  }: { code: string; what: string; safe(file: NonceFile): boolean; remove(path: string): void },
): readonly Finding[] {
  const paths = files.map(({ path }) => path)
  const [first] = paths
  if (first === undefined) return []
  return [
    {
      code,
      severity: 'note',
      path: first,
      found: `${namesOf(paths)}: ${what}.`,
      why: 'Whoever is killed leaves such files. They decide nothing.',
      remedy: 'Nothing: the next guardian removes them.',
      fix: {
        does: `remove ${paths.length === 1 ? 'it' : `these ${paths.length} files`}`,
        did: `removed ${paths.length === 1 ? 'it' : `these ${paths.length} files`}`,
        needs: 'no-guardian',
        paths,
        apply(path) {
          const file = files.find((candidate) => candidate.path === path)
          if (file === undefined || !safe(file)) throw new Error(`its guardian lives: ${path}`)
          remove(path)
        },
      },
    },
  ]
}

function oldSlotTemporaries(dir: string): readonly string[] {
  if (!isOurs(lookAtEntry(dir, 'directory'))) return []
  return readdirSync(dir)
    .filter((name) => SLOT_TEMPORARY.test(name))
    .map((name) => join(dir, name))
    .filter(isOld)
}

function isOld(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  return stat?.isFile() === true && Date.now() - stat.mtimeMs > OLD_MS
}

function slotTemporaries(paths: readonly string[]): readonly Finding[] {
  const [first] = paths
  if (first === undefined) return []
  return [
    {
      code: 'slot-temporary-file',
      severity: 'note',
      path: first,
      found: `${namesOf(paths)}: a temporary file that is older than a minute.`,
      why: 'Left by a program that was killed in the wrong microsecond. It means nothing.',
      remedy: 'Nothing; anybody may delete it.',
      fix: {
        does: `remove ${paths.length === 1 ? 'it' : `these ${paths.length} files`}`,
        did: `removed ${paths.length === 1 ? 'it' : `these ${paths.length} files`}`,
        needs: 'nothing',
        paths,
        apply(path) {
          if (isOld(path)) removeIfThere(path)
        },
      },
    },
  ]
}

/** Not mended: whatever --fix does, it touches no data. */
function halfDeletedDatabase(path: string): Finding {
  return {
    code: 'half-deleted-data',
    severity: 'note',
    path,
    found: `${path}: a database that \`procref reset\` was deleting when it was ended.`,
    why: 'Nobody uses it any more. It takes space.',
    remedy: `Delete it: rm -r ${path}`,
  }
}

/** May be at work: its lock is nothing that a look may take. */
function leftStage(path: string): Finding {
  return {
    code: 'unfinished-take-over',
    severity: 'note',
    path,
    found: `${path}: a copy that \`procref take-over\` works on, or was working on when it was ended.`,
    why: 'Until it is done the folder that it takes over is as it was. The copy takes space.',
    remedy: 'If none runs: the next `procref take-over` removes it; or delete it.',
  }
}

/** What is taken over is here; it is only not gone from there. */
function oldFolder({ takeoverJson }: Layout): readonly Finding[] {
  const left = readTakeover(takeoverJson)
  if (left === undefined) return []
  return [
    {
      code: 'taken-over-folder',
      severity: 'note',
      path: left.folder,
      found: `${left.folder}: \`procref take-over\` was ended when this directory had it all, and before it was done there.`,
      why: 'Whoever serves that folder has another database, from which nothing comes here.',
      remedy: `Run \`procref take-over ${left.folder}\` once more: it does what is left.`,
    },
  ]
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
