import { constants } from 'node:fs'
import { open, realpath, stat } from 'node:fs/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Mistake, type Store } from '@procref/example-gsc'
import { contentHash } from './content-hash.ts'
import { extract } from './extract.ts'
import { languageOf } from './languages.ts'
import { sourceFiles } from './walk.ts'
import { type IndexedFile, Writer } from './writer.ts'

/** Generated or minified: costly to read and of no use to anybody who asks for symbols. */
const MAX_BYTES = 1_000_000
const PROGRESS_EVERY_MS = 250
/** Deleted files in one transaction. */
const DELETED_AT_ONCE = 500

export interface IndexResult {
  readonly root: string
  readonly added: number
  readonly changed: number
  readonly deleted: number
  readonly unchanged: number
  readonly skipped: readonly { readonly path: string; readonly reason: string }[]
  /** What the folder holds now. */
  readonly files: number
  readonly symbols: number
}

export interface IndexOptions {
  readonly signal: AbortSignal
  readonly progress: (done: number, total: number, message: string) => Promise<void>
}

/** The absolute path without links, by which an indexed folder is known. Throws a `Mistake` for what is no folder. */
export async function resolveFolder(folder: string): Promise<string> {
  try {
    const root = await realpath(folder)
    if ((await stat(root)).isDirectory()) return root
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new Mistake(`There is no folder ${folder}. Give the absolute path of an existing folder.`)
    }
    if (code === 'EACCES')
      throw new Mistake(`${folder} cannot be read by this user. Choose another folder, or change its mode.`)
    throw error
  }
  throw new Mistake(`${folder} is a file. Give the folder that it is in.`)
}

/**
 * Brings the index of a folder up to date: reads every source file, and writes those whose content differs from what was indexed.
 *
 * Guarantee: each file is either wholly as before or wholly as it is now, whenever this ends and however; several runs on one
 * folder at once leave the same rows as one. Memory does not grow with the folder, but for its paths and hashes.
 * Unspecified: which of two contents is indexed when a file changes while it is read. The next run puts it right.
 * Rejects with the signal's reason when it is aborted; what was written until then stays, and the next run goes on from there.
 */
export async function indexFolder(store: Store, folder: string, options: IndexOptions): Promise<IndexResult> {
  const { signal } = options
  const root = await resolveFolder(folder)
  await store.query('INSERT IGNORE INTO folder $row RETURN NONE', { row: { id: [root], root } })
  const known = await knownHashes(store, root)
  const skipped: { path: string; reason: string }[] = []
  const paths: string[] = []
  for await (const path of sourceFiles(root, signal, (path, reason) => skipped.push({ path, reason }))) paths.push(path)

  const writer = new Writer(store)
  const count = { added: 0, changed: 0, unchanged: 0 }
  let told = 0
  for (const [done, path] of paths.entries()) {
    signal.throwIfAborted()
    const before = known.get(path)
    const file = await readFile(root, path, before)
    if (file === 'vanished') continue
    known.delete(path)
    if (file === 'unchanged') count.unchanged++
    else if ('reason' in file) {
      skipped.push({ path, reason: file.reason })
      // What was indexed of it is no longer so.
      if (before !== undefined) known.set(path, before)
    } else {
      count[before === undefined ? 'added' : 'changed']++
      await writer.add(file)
    }
    if (performance.now() - told > PROGRESS_EVERY_MS) {
      told = performance.now()
      await options.progress(done, paths.length, path)
    }
    // Parsing does not yield: whoever cancels, or asks something else, has to be heard.
    await nextTurn()
  }
  await writer.flush()
  const gone = [...known.keys()]
  for (let at = 0; at < gone.length; at += DELETED_AT_ONCE) {
    signal.throwIfAborted()
    await writer.remove(root, gone.slice(at, at + DELETED_AT_ONCE))
  }
  const total = await finish(store, root)
  await options.progress(paths.length, paths.length, 'done')
  return { root, ...count, deleted: gone.length, skipped, ...total }
}

async function knownHashes(store: Store, root: string): Promise<Map<string, string>> {
  const [rows] = await store.query<[{ path: string; hash: string }[]]>(
    'SELECT path, hash FROM file:[$root, NONE]..[$root, ..]',
    { root },
  )
  return new Map(rows.map(({ path, hash }) => [path, hash]))
}

/**
 * What is said last, so that whoever watches the folders finds all the rest in place. One statement: of several in one call
 * SurrealDB may announce the first only.
 */
async function finish(store: Store, root: string): Promise<{ files: number; symbols: number }> {
  const [[total = { files: 0, symbols: 0 }]] = await store.query<[{ files: number; symbols: number }[]]>(
    `UPSERT type::record('folder', [$root]) SET root = $root, indexedAt = time::now(),
      files = array::len((SELECT VALUE path FROM file:[$root, NONE]..[$root, ..])),
      symbols = math::sum((SELECT VALUE symbols FROM file:[$root, NONE]..[$root, ..]))
    RETURN files, symbols`,
    { root },
  )
  return total
}

/** One read of one descriptor: what is hashed is what is parsed. */
async function readFile(
  root: string,
  path: string,
  before: string | undefined,
): Promise<IndexedFile | 'unchanged' | 'vanished' | { readonly reason: string }> {
  const language = languageOf(path)
  if (language === undefined) return { reason: 'no language' }
  const readAt = Date.now()
  let bytes: Buffer
  try {
    // The walk saw no link here; one that was put in its place since is not followed either.
    const file = await open(`${root}/${path}`, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      const { size } = await file.stat()
      if (size > MAX_BYTES) return { reason: `${size} bytes: more than ${MAX_BYTES} are not indexed` }
      bytes = await file.readFile()
    } finally {
      await file.close()
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return 'vanished'
    if (code === 'EACCES' || code === 'EPERM' || code === 'ELOOP') return { reason: message }
    throw error
  }
  const hash = contentHash(language, bytes)
  if (hash === before) return 'unchanged'
  const text = bytes.toString('utf8')
  const found = await extract(language, text)
  if (found === undefined) return { reason: 'it takes the parser more than 10 s' }
  const lines = text.split('\n').length
  return { root, path, language, hash, lines, readAt, ...found }
}
