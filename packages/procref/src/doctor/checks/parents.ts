import { realpathSync, type Stats, statSync } from 'node:fs'
import { dirname, parse } from 'node:path'
import type { Check, Finding } from '../check.ts'
import { octal } from '../entry.ts'

const STICKY = 0o1000
const WRITABLE_BY_ALL = 0o002

/** The folders above: can another user put something else where our directory is? */
export const parents: Check = {
  id: 'parents',
  looksAt: 'the folders above: who can replace the directory',
  where: 'anywhere',
  examine({ paths }) {
    if (process.geteuid === undefined) return { found: 'nothing to say on this system', findings: [] }
    const folders = foldersAbove(paths.root)
    return { found: `${folders.length} folders, up to ${folders.at(-1)}`, findings: folders.flatMap(judge) }
  },
}

/** Those that exist, with links resolved: what is above a link's target counts. */
function foldersAbove(path: string): readonly string[] {
  const folders: string[] = []
  let at = nearestExisting(dirname(path))
  for (;;) {
    folders.push(at)
    if (at === parse(at).root) return folders
    at = dirname(at)
  }
}

function nearestExisting(path: string): string {
  try {
    return realpathSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if ((code !== 'ENOENT' && code !== 'ENOTDIR') || dirname(path) === path) throw error
    return nearestExisting(dirname(path))
  }
}

function judge(path: string): readonly Finding[] {
  const stat = statSync(path)
  const why =
    'Who can rename or replace the directory can put another one in its place, and be handed what procref keeps there.'
  if ((stat.mode & WRITABLE_BY_ALL) !== 0 && (stat.mode & STICKY) === 0) {
    return [
      {
        code: 'writable-parent',
        severity: 'problem',
        path,
        found: `Everybody may write into ${path} (mode ${octal(stat.mode & 0o7777)}), without the sticky bit.`,
        why,
        remedy: `\`chmod o-w ${path}\`, or \`chmod +t ${path}\` as for /tmp, or keep the directory somewhere else (--dir, PROCREF_DIR).`,
      },
    ]
  }
  if (isForeign(stat)) {
    return [
      {
        code: 'foreign-parent',
        severity: 'warning',
        path,
        found: `${path} belongs to the user ${stat.uid}.`,
        why,
        remedy: 'Trust that user, or keep the directory somewhere else (--dir, PROCREF_DIR).',
      },
    ]
  }
  return []
}

function isForeign({ uid, mode }: Stats): boolean {
  // Of a folder with the sticky bit the owner may replace entries, too.
  return uid !== 0 && uid !== process.geteuid?.() && (mode & 0o200) !== 0
}
