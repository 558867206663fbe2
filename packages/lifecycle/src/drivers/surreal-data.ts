import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { FileAccessError, translateErrno } from '@procref/core'
import { DataEngineMismatchError } from '../errors.ts'
import { DatabaseDamagedError, DatabasePathError } from './errors.ts'

export type Storage = 'rocksdb' | 'surrealkv' | 'memory'

/** Looked at by their names, with the folders they are in. */
interface Layout {
  /** What every database of that storage has, from the first moment on. */
  readonly head: RegExp
  /** Made after the head, and worth nothing without it. */
  readonly body: RegExp
  readonly headName: string
}

const LAYOUTS: Readonly<Record<Exclude<Storage, 'memory'>, Layout>> = {
  rocksdb: { head: /^CURRENT$/, body: /^\d+\.(log|sst|blob)$/, headName: 'CURRENT' },
  surrealkv: {
    head: /^manifest\/\d+\.manifest$/,
    body: /^(sstables\/\d+\.sst|wal\/\d+\.wal)$/,
    headName: 'manifest/*.manifest',
  },
}

/** What SurrealDB is told to open. Throws `DatabasePathError`: it would take what stands behind a `?` for options, and open another folder. */
export function surrealEndpoint(storage: Exclude<Storage, 'memory'>, databaseDir: string): string {
  if (databaseDir.includes('?')) throw new DatabasePathError(databaseDir)
  return `${storage}://${databaseDir}`
}

/** Do these words of a server, or of the engine, say that another process has the database open? RocksDB's, SurrealKV's. */
export function saysDatabaseLocked(words: string): boolean {
  return /While lock file: .*LOCK|LOCK is already locked by another process/.test(words)
}

/** In the words of strerror(3), as RocksDB, SurrealKV and Rust repeat them. */
const SYSTEM_WORDS = [
  ['No space left on device', 'ENOSPC'],
  ['Disk quota exceeded', 'EDQUOT'],
  ['Too many open files', 'EMFILE'],
  ['File too large', 'EFBIG'],
  ['Cannot allocate memory', 'ENOMEM'],
  ['Read-only file system', 'EROFS'],
  ['Permission denied', 'EACCES'],
] as const

/** What the system refused a server, or the engine, by these words of theirs: as the error that says what to do. `undefined`: nothing. */
export function systemTrouble(
  words: string,
  path: string,
  doing = 'start SurrealDB on the database in',
): FileAccessError | undefined {
  const errno = SYSTEM_WORDS.find(([said]) => words.includes(said))?.[1]
  if (errno === undefined) return undefined
  const cause = Object.assign(new Error(words), { code: errno })
  const error = translateErrno(cause, doing, path)
  return error instanceof FileAccessError ? error : undefined
}

const UNRECORDED = 'of a version that is not recorded'

/**
 * Looks at the names of the files, before anything is opened. Throws `DataEngineMismatchError` when the directory holds a database of
 * another storage: SurrealDB (3.3 was tried) opens it without a word and makes an empty second one in it. `engine.json` tells in most
 * cases, but is missing beside data that were put there by hand. Throws `DatabaseDamagedError` when the file is missing that says
 * which of the others count: SurrealKV begins an empty database then, RocksDB at the second attempt, and what is left of the data
 * is removed.
 */
export function checkSurrealData(databaseDir: string, asked: Storage): void {
  if (asked === 'memory') return
  const files = namesIn(databaseDir)
  const has = (pattern: RegExp): boolean => files.some((name) => pattern.test(name))
  const { head, body, headName } = LAYOUTS[asked]
  if (has(head)) return
  if (has(body)) throw new DatabaseDamagedError(databaseDir, `${headName} is missing beside its files`)
  const other = asked === 'rocksdb' ? 'surrealkv' : 'rocksdb'
  if (!has(LAYOUTS[other].head) && !has(LAYOUTS[other].body)) return
  throw new DataEngineMismatchError({
    path: databaseDir,
    recorded: { engine: 'surrealdb', version: UNRECORDED, storage: other },
    asked: { engine: 'surrealdb', version: UNRECORDED, storage: asked },
  })
}

/** The storages that files in the folder are of, by their names. More than one: somebody has served it with the wrong one. */
export function storagesIn(databaseDir: string): readonly Exclude<Storage, 'memory'>[] {
  const files = namesIn(databaseDir)
  const isOf = ({ head, body }: Layout): boolean => files.some((name) => head.test(name) || body.test(name))
  return (['rocksdb', 'surrealkv'] as const).filter((storage) => isOf(LAYOUTS[storage]))
}

function namesIn(databaseDir: string): readonly string[] {
  return readdirSync(databaseDir, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? readdirSync(join(databaseDir, entry.name)).map((name) => `${entry.name}/${name}`)
      : [entry.name],
  )
}
