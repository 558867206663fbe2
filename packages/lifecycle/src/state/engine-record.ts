import type { EngineIdentity } from '../driver.ts'
import { DataEngineMismatchError, EngineRecordDamagedError, NewerDataError, OlderDataError } from '../errors.ts'
import { isNewer, majorOf } from '../version-order.ts'
import { replaceFileDurably } from './atomic-file.ts'
import { newNonce } from './nonce.ts'
import { isPlainText } from './plain-text.ts'
import { parseJson, readSmallFile } from './small-file.ts'

/** What wrote the data at `path`'s side last; `undefined` when nothing did. Throws `EngineRecordDamagedError`. */
export function readEngineRecord(path: string): EngineIdentity | undefined {
  const file = readSmallFile(path)
  if (file.kind === 'missing') return undefined
  if (file.kind === 'unusable') throw new EngineRecordDamagedError({ path, found: file.reason })
  const value = parseJson(file.text)
  if (!isEngineIdentity(value)) throw new EngineRecordDamagedError({ path, found: 'is damaged' })
  return { engine: value.engine, version: value.version, storage: value.storage }
}

/** Records who is about to write. Guarantee: survives a power cut. Caller: before the data are opened, after `checkEngine`. */
export function writeEngineRecord(path: string, engine: EngineIdentity): void {
  replaceFileDurably(path, `${JSON.stringify(engine, null, 2)}\n`, newNonce())
}

/** The major version of SurrealDB that stores everything in another way than those before. */
const NEW_FORMAT = 3

/**
 * Throws unless `asked` may open what `recorded` wrote last: the same engine and storage (`DataEngineMismatchError`), not an
 * older version (`NewerDataError`): the database itself refuses neither. And not SurrealDB 3 what was written before it (`OlderDataError`):
 * that is refused by the server, but only after its storage has rewritten files in its own way. Versions that are not numbers with dots have no order: they
 * are let through.
 */
export function checkEngine(recorded: EngineIdentity | undefined, asked: EngineIdentity, path: string): void {
  if (recorded === undefined) return
  if (recorded.engine !== asked.engine || recorded.storage !== asked.storage) {
    throw new DataEngineMismatchError({ path, recorded, asked })
  }
  if (isNewer(recorded.version, asked.version)) throw new NewerDataError({ path, recorded, asked })
  const [written = 0, running = 0] = [majorOf(recorded.version), majorOf(asked.version)]
  if (asked.engine === 'surrealdb' && written > 0 && written < NEW_FORMAT && running >= NEW_FORMAT) {
    throw new OlderDataError({ path, written, running })
  }
}

function isEngineIdentity(value: unknown): value is EngineIdentity {
  if (typeof value !== 'object' || value === null) return false
  const { engine, version, storage } = value as Record<string, unknown>
  return [engine, version, storage].every(isPlainText)
}
