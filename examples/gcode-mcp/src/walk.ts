import { type Dirent, existsSync, readFileSync } from 'node:fs'
import { opendir } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import ignore, { type Ignore } from 'ignore'
import { languageOf } from './languages.ts'

/** Never source files of the folder itself, and often not ignored where there is no repository. */
const NEVER = new Set(['.git', 'node_modules'])

/** The rules of one `.gitignore`, which hold for paths below its folder. */
interface Rules {
  readonly dir: string
  readonly ignore: Ignore
}

/**
 * The source files below `root`, as paths relative to it with forward slashes, folder by folder.
 *
 * What git would ignore is left out, also by the files of the repository around `root`; so are `.git`, `node_modules` and
 * symbolic links, which could lead out of the folder or round in circles. A folder that vanishes or cannot be read while we walk is passed to `unreadable`.
 */
export async function* sourceFiles(
  root: string,
  signal: AbortSignal,
  unreadable: (path: string, reason: string) => void,
): AsyncGenerator<string> {
  yield* walk(root, rulesAround(root))

  async function* walk(dir: string, outer: readonly Rules[]): AsyncGenerator<string> {
    signal.throwIfAborted()
    const entries = await list(dir)
    if (entries === undefined) return
    const own = entries.some((entry) => entry.name === '.gitignore' && entry.isFile())
    const rules = own ? [...outer, rulesOf(dir, join(dir, '.gitignore'))] : outer
    for (const entry of entries) {
      const path = join(dir, entry.name)
      if (NEVER.has(entry.name) || isIgnored(rules, path, entry.isDirectory())) continue
      if (entry.isDirectory()) yield* walk(path, rules)
      else if (entry.isFile() && languageOf(entry.name) !== undefined) yield relative(root, path).split(sep).join('/')
    }
  }

  async function list(dir: string): Promise<readonly Dirent[] | undefined> {
    try {
      const entries: Dirent[] = []
      for await (const entry of await opendir(dir)) entries.push(entry)
      return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code !== 'ENOENT' && code !== 'EACCES' && code !== 'EPERM') throw error
      unreadable(relative(root, dir).split(sep).join('/'), message)
      return undefined
    }
  }
}

/** Those of the folders from the repository's own down to, and without, `root`. */
function rulesAround(root: string): readonly Rules[] {
  const above: string[] = []
  for (let dir = root; ; dir = dirname(dir)) {
    if (dir !== root) above.unshift(dir)
    if (existsSync(join(dir, '.git'))) {
      const files = [
        [dir, join(dir, '.git/info/exclude')],
        ...above.map((folder) => [folder, join(folder, '.gitignore')]),
      ]
      return files.flatMap(([folder = '', file = '']) => (existsSync(file) ? [rulesOf(folder, file)] : []))
    }
    if (dirname(dir) === dir) return []
  }
}

function rulesOf(dir: string, file: string): Rules {
  return { dir, ignore: ignore().add(readFileSync(file, 'utf8')) }
}

/** The innermost file that says anything about a path decides, as in git. */
function isIgnored(rules: readonly Rules[], path: string, isFolder: boolean): boolean {
  for (const { dir, ignore } of rules.toReversed()) {
    const { ignored, unignored } = ignore.test(relative(dir, path).split(sep).join('/') + (isFolder ? '/' : ''))
    if (ignored || unignored) return ignored
  }
  return false
}
