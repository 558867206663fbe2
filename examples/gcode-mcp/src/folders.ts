import { Mistake, type Store } from '@procref/example-gsc'
import { resolveFolder } from './index-folder.ts'
import { Writer } from './writer.ts'

export interface Folder {
  readonly root: string
  readonly files: number
  readonly symbols: number
  /** ISO 8601; missing until an index run has reached its end. */
  readonly indexedAt?: string
}

export async function listFolders(store: Store): Promise<readonly Folder[]> {
  const [rows] = await store.query<[(Omit<Folder, 'indexedAt'> & { indexedAt?: { toISOString(): string } })[]]>(
    'SELECT root, files, symbols, indexedAt FROM folder ORDER BY root',
  )
  return rows.map(({ indexedAt, ...row }) => ({ ...row, ...(indexedAt && { indexedAt: indexedAt.toISOString() }) }))
}

/** Throws a `Mistake` when there is nothing that a question could be about. */
export async function mustHaveIndex(store: Store): Promise<void> {
  if ((await listFolders(store)).length > 0) return
  throw new Mistake('Nothing is indexed yet. Call index_folder with the absolute path of a folder, then ask again.')
}

/**
 * The indexed folder that is called this. Throws a `Mistake` for one that is not indexed. A folder that was removed from the disk is found by the
 * path it had.
 */
export async function indexedFolder(store: Store, folder: string): Promise<string> {
  const roots = (await listFolders(store)).map(({ root }) => root)
  if (roots.includes(folder)) return folder
  const root = await resolveFolder(folder)
  if (roots.includes(root)) return root
  throw new Mistake(`${root} is not indexed. Call index_folder first. Indexed folders: ${roots.join(', ') || 'none'}.`)
}

/** A file in two indexed folders would be found twice for ever. */
export async function mustNotOverlap(store: Store, root: string): Promise<void> {
  for (const { root: other } of await listFolders(store)) {
    if (root.startsWith(`${other}/`)) {
      throw new Mistake(
        `${root} lies in the indexed folder ${other}: index that one, or call forget_folder for it first.`,
      )
    }
    if (other.startsWith(`${root}/`)) {
      throw new Mistake(`The indexed folder ${other} lies in ${root}: call forget_folder for ${other} first.`)
    }
  }
}

const FILES_AT_ONCE = 100

/** Takes a folder and all its rows out of the database; files on disk are not touched. Returns how many files it had. */
export async function forgetFolder(store: Store, root: string, signal: AbortSignal): Promise<number> {
  const writer = new Writer(store)
  let forgotten = 0
  for (;;) {
    signal.throwIfAborted()
    const [paths] = await store.query<[string[]]>(
      `SELECT VALUE path FROM file:[$root, NONE]..[$root, ..] LIMIT ${FILES_AT_ONCE}`,
      { root },
    )
    if (paths.length === 0) break
    await writer.remove(root, paths)
    forgotten += paths.length
  }
  await store.query("DELETE type::record('folder', [$root])", { root })
  return forgotten
}
