import type { EngineIdentity } from '../driver.ts'
import {
  DataEngineMismatchError,
  EngineRecordDamagedError,
  NewerDataError,
  OlderDataError,
  UpgradeNeededError,
} from '../errors.ts'
import { crossesMinor, isNewer, majorOf } from '../version-order.ts'
import { replaceFileDurably } from './atomic-file.ts'
import { newNonce } from './nonce.ts'
import { isPlainText } from './plain-text.ts'
import { parseJson, readSmallFile } from './small-file.ts'
import type { UpgradeConsent } from './upgrade-consent.ts'

/** What wrote the data at `path`'s side last; `undefined` when nothing did. Throws `EngineRecordDamagedError`. */
export function readEngineRecord(path: string): EngineIdentity | undefined {
  const file = readSmallFile(path)
  if (file.kind === 'missing') return undefined
  if (file.kind === 'unusable') throw new EngineRecordDamagedError({ path, found: file.reason })
  const value = parseJson(file.text)
  if (!isEngineIdentity(value)) throw new EngineRecordDamagedError({ path, found: 'is damaged' })
  return { engine: value.engine, version: value.version, storage: value.storage }
}

/** The name of the driver that wrote the data last, a hint for whoever has the choice; `undefined`: it is not recorded. */
export function readEngineDriver(path: string): string | undefined {
  const file = readSmallFile(path)
  const value = file.kind === 'text' ? parseJson(file.text) : undefined
  const driver = (value as { readonly driver?: unknown } | null | undefined)?.driver
  return isPlainText(driver) ? driver : undefined
}

/** Records who is about to write. Guarantee: survives a power cut. Caller: before the data are opened, after `checkEngine`. */
export function writeEngineRecord(path: string, engine: EngineIdentity, driver: string): void {
  replaceFileDurably(path, `${JSON.stringify({ ...engine, driver }, null, 2)}\n`, newNonce())
}

/** The major version of SurrealDB that stores everything in another way than those before. */
const NEW_FORMAT = 3

/**
 * Throws unless `asked` may open what `recorded` wrote last: the same engine and storage (`DataEngineMismatchError`), not an
 * older version (`NewerDataError`): the database itself refuses neither. And not SurrealDB 3 what was written before it (`OlderDataError`):
 * that is refused by the server, but only after its storage has rewritten files in its own way. And not another minor version of SurrealDB
 * what an older one wrote (`UpgradeNeededError`), unless `consent` is to exactly that: such a step has no way back. Versions that are
 * not numbers with dots have no order: they are let through.
 *
 * Why the line is there: SurrealDB changes what is on the disk in minor releases (3.1.0 the bytes of a row, 3.3.0 data migrations at the start), says
 * that a build before them cannot read it any more, and mostly lets it try all the same. Releases that differ in the last number read and write the same.
 */
export function checkEngine(
  recorded: EngineIdentity | undefined,
  asked: EngineIdentity,
  path: string,
  consent?: UpgradeConsent,
): void {
  if (recorded === undefined) return
  if (recorded.engine !== asked.engine || recorded.storage !== asked.storage) {
    throw new DataEngineMismatchError({ path, recorded, asked })
  }
  if (isNewer(recorded.version, asked.version)) throw new NewerDataError({ path, recorded, asked })
  const [written = 0, running = 0] = [majorOf(recorded.version), majorOf(asked.version)]
  if (asked.engine === 'surrealdb' && written > 0 && written < NEW_FORMAT && running >= NEW_FORMAT) {
    throw new OlderDataError({ path, written, running })
  }
  if (asked.engine !== 'surrealdb' || !crossesMinor(recorded.version, asked.version)) return
  if (!isConsentTo(consent, recorded, asked)) throw new UpgradeNeededError({ path, recorded, asked })
}

function isConsentTo(consent: UpgradeConsent | undefined, recorded: EngineIdentity, asked: EngineIdentity): boolean {
  if (consent === undefined) return false
  const { engine, version, storage } = consent.from
  const sameData = engine === recorded.engine && version === recorded.version && storage === recorded.storage
  return sameData && consent.to === asked.version
}

export function isEngineIdentity(value: unknown): value is EngineIdentity {
  if (typeof value !== 'object' || value === null) return false
  const { engine, version, storage } = value as Record<string, unknown>
  return [engine, version, storage].every(isPlainText)
}
