import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { Mistake } from '@procref/example-gsc'
import parseDiff from 'parse-diff'

const MAX_DIFF_BYTES = 64 * 1024 * 1024

/** What a change did to a file. */
export interface ChangedFile {
  /** Absolute. */
  readonly path: string
  /** First and last line of each changed part, in the file as it is after the change; none for a deleted file. */
  readonly parts: readonly (readonly [number, number])[]
  readonly deleted: boolean
}

/**
 * What `git diff RANGE` says of the repository that `folder` is in. External diff programs, text conversions and file system
 * monitors that the repository's settings name are not run.
 * Throws a `Mistake` with git's own words when git cannot do it.
 */
export async function gitDiff(folder: string, range: string, signal: AbortSignal): Promise<readonly ChangedFile[]> {
  // Git would take it for an option.
  if (range.startsWith('-'))
    throw new Mistake(`${JSON.stringify(range)} is no range. Write one like "main...HEAD", "HEAD~3..HEAD" or "HEAD".`)
  const top = (await git(folder, ['rev-parse', '--show-toplevel'], signal)).trimEnd()
  const diff = await git(
    top,
    [
      '-c',
      'core.quotePath=false',
      'diff',
      '--unified=0',
      '--no-color',
      '--no-ext-diff',
      '--no-textconv',
      '--no-renames',
      ...PREFIXES,
      range,
      '--',
    ],
    signal,
  )
  return parseDiff(diff).map(({ from, to, deleted, chunks }) => ({
    path: `${top}/${deleted ? from : to}`,
    parts: deleted
      ? []
      : chunks.map(({ newStart, newLines }) => [newStart, newStart + Math.max(newLines, 1) - 1] as const),
    deleted: deleted === true,
  }))
}

/** Whatever the user's settings say. */
const PREFIXES = ['--src-prefix=a/', '--dst-prefix=b/']

async function git(folder: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  try {
    // No file system monitor: that is a program which the repository's settings can name.
    const all = ['-C', folder, '-c', 'core.fsmonitor=false', ...args]
    const { stdout } = await promisify(execFile)('git', all, { signal, maxBuffer: MAX_DIFF_BYTES })
    return stdout
  } catch (error) {
    signal.throwIfAborted()
    const { code, stderr } = error as { code?: number | string; stderr?: string }
    if (code === 'ENOENT') throw new Mistake('There is no git in PATH. Give the changed files instead of a range.')
    if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER')
      throw new Mistake('The diff is larger than 64 MiB. Give a smaller range.')
    if (typeof code === 'number') throw new Mistake(`git cannot do that in ${folder}: ${stderr?.trim()}`)
    throw error
  }
}
