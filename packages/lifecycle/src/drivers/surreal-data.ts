import { readdirSync } from 'node:fs'
import { DataEngineMismatchError } from '../errors.ts'

export type Storage = 'rocksdb' | 'surrealkv' | 'memory'

/** A file that every database of that storage has. */
const MARKS: Readonly<Record<Exclude<Storage, 'memory'>, string>> = { rocksdb: 'CURRENT', surrealkv: 'manifest' }

/** Do these words of a server, or of the engine, say that another process has the database open? RocksDB's, SurrealKV's. */
export function saysDatabaseLocked(words: string): boolean {
  return /While lock file: .*LOCK|LOCK is already locked by another process/.test(words)
}

const UNRECORDED = 'of a version that is not recorded'

/**
 * Throws `DataEngineMismatchError` when the directory holds a database of another storage: SurrealDB (3.3 was tried) opens it
 * without a word and makes an empty second one in it. `engine.json` tells in most cases, but is missing beside data that
 * were put there by hand.
 */
export function checkSurrealData(databaseDir: string, asked: Storage): void {
  if (asked === 'memory') return
  const files = new Set(readdirSync(databaseDir))
  if (files.has(MARKS[asked])) return
  const other = asked === 'rocksdb' ? 'surrealkv' : 'rocksdb'
  if (!files.has(MARKS[other])) return
  throw new DataEngineMismatchError({
    path: databaseDir,
    recorded: { engine: 'surrealdb', version: UNRECORDED, storage: other },
    asked: { engine: 'surrealdb', version: UNRECORDED, storage: asked },
  })
}
