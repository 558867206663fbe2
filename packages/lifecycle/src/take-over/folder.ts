import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, realpathSync, type Stats } from 'node:fs'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { translateErrno } from '@procref/core'
import { checkSurrealData, type Storage, storagesIn } from '../drivers/surreal-data.ts'
import { NotADatabaseError } from './errors.ts'

/** SurrealDB's own lock, in both storages. It is held by the file, whatever names that has. */
export const LOCK_FILE = 'LOCK'

/** A database in a folder of somebody's. */
export interface Folder {
  /** Absolute, without symbolic links. */
  readonly path: string
  readonly parent: string
  readonly name: string
  readonly storage: Exclude<Storage, 'memory'>
  readonly files: number
  readonly bytes: number
  /** Changes with every change to the files that belong to the data. */
  readonly state: string
}

/**
 * Looks at the database in `folder`, opening nothing.
 * Throws `NotADatabaseError`, `DatabaseDamagedError`, and `DataEngineMismatchError` when it is of another storage than `asked`.
 */
export function lookAtFolder(folder: string, asked?: Storage): Folder {
  const path = realPath(folder)
  checkKind(path)
  const storage = storageOf(path, asked)
  checkSurrealData(path, storage)
  const entries = entriesIn(path)
  return {
    path,
    parent: dirname(path),
    name: basename(path),
    storage,
    files: entries.length,
    bytes: entries.reduce((sum, { stat }) => sum + stat.size, 0),
    state: stateOf(entries),
  }
}

function storageOf(path: string, asked: Storage | undefined): Exclude<Storage, 'memory'> {
  const [storage, ...others] = storagesIn(path)
  if (storage === undefined) {
    const remedy = 'Give the folder that stands behind rocksdb:// or surrealkv:// in the command line of its server.'
    throw new NotADatabaseError(path, 'has no database of RocksDB or SurrealKV in it', remedy)
  }
  if (asked !== undefined && asked !== 'memory') return asked
  if (others.length === 0) return storage
  // SurrealDB makes an empty database of one storage beside that of another one without a word.
  throw new NotADatabaseError(
    path,
    `has files of ${[storage, ...others].join(' and ')} in it`,
    'Say which of them it is: --storage.',
  )
}

/** Throws `NotADatabaseError` when one of the two is in the other: a directory cannot take over a part of itself. */
export function checkApart(folder: Folder, root: string): void {
  const inside = (inner: string, outer: string): boolean => inner === outer || inner.startsWith(`${outer}${sep}`)
  const real = realPathOfMissing(root)
  if (!inside(folder.path, real) && !inside(real, folder.path)) return
  const remedy = 'What is in the directory is managed by procref already.'
  throw new NotADatabaseError(folder.path, `and the directory ${root} are one inside the other`, remedy)
}

function realPath(folder: string): string {
  try {
    return realpathSync(folder)
  } catch (error) {
    throw translateErrno(error, 'look at', resolve(folder))
  }
}

/** Where it will be: of the part that is there the links are followed. */
export function realPathOfMissing(path: string): string {
  try {
    return realpathSync(resolve(path))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return join(realPathOfMissing(dirname(resolve(path))), basename(resolve(path)))
  }
}

function checkKind(path: string): void {
  const stat = lstatSync(path)
  if (!stat.isDirectory()) throw new NotADatabaseError(path, 'is not a folder', 'Give the folder of a database.')
  checkOwner(path, stat)
}

function checkOwner(path: string, stat: Stats): void {
  const user = process.geteuid?.()
  if (user === undefined || stat.uid === user) return
  const remedy = `Do it as that user, or give it to yourself first (\`chown -R\`).`
  throw new NotADatabaseError(path, `belongs to the user ${stat.uid}, and you are ${user}`, remedy)
}

interface Entry {
  /** From the folder on. */
  readonly name: string
  readonly stat: Stats
}

/** Every file, in one order. Throws `NotADatabaseError` for what is neither a file nor a folder, or belongs to somebody else. */
function entriesIn(path: string, prefix = ''): readonly Entry[] {
  return readdirSync(join(path, prefix), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry): readonly Entry[] => {
      const name = prefix === '' ? entry.name : `${prefix}/${entry.name}`
      const stat = lstatSync(join(path, name))
      checkOwner(join(path, name), stat)
      if (stat.isDirectory()) return entriesIn(path, name)
      if (stat.isFile()) return [{ name, stat }]
      const remedy = 'Put the files themselves where it is, or move it away if it does not belong to the database.'
      throw new NotADatabaseError(path, `has ${name} in it, which is neither a file nor a folder`, remedy)
    })
}

/** RocksDB begins a new log of what it does before it asks for the lock: whoever is refused has done that. */
const NO_DATA = /^(LOCK|LOG(\.old\.\d+)?)$/

function stateOf(entries: readonly Entry[]): string {
  const hash = createHash('sha256')
  for (const { name, stat } of entries) {
    if (!NO_DATA.test(name)) hash.update(`${name}\0${stat.size}\0${stat.mtimeMs}\0`)
  }
  return hash.digest('hex')
}
