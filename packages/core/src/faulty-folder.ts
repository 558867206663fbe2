import { type Stats, statSync } from 'node:fs'
import { dirname } from 'node:path'

/** A folder above a path that keeps it from being reached. */
export interface FaultyFolder {
  readonly path: string
  readonly fault: 'missing' | 'no-folder'
}

/**
 * The uppermost folder above `path` that is missing or is something else; `undefined`: none is, or that cannot be seen.
 * For people: what failed may have failed for another reason, and may not fail any more. Never throws.
 */
export function faultyFolderAbove(path: string): FaultyFolder | undefined {
  let faulty: FaultyFolder | undefined
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const found = lookAt(folder)
    if (found === 'unknown') return undefined
    if (found !== 'missing') return found.isDirectory() ? faulty : { path: folder, fault: 'no-folder' }
    faulty = { path: folder, fault: 'missing' }
    if (folder === dirname(folder)) return undefined
  }
}

function lookAt(path: string): Stats | 'missing' | 'unknown' {
  try {
    return statSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : 'unknown'
  }
}
