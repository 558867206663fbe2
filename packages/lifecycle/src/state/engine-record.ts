import type { EngineIdentity } from '../driver.ts'
import { DataEngineMismatchError, EngineRecordDamagedError, NewerDataError } from '../errors.ts'
import { replaceFileDurably } from './atomic-file.ts'
import { newNonce } from './nonce.ts'
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

/**
 * Throws unless `asked` may open what `recorded` wrote last: the same engine and storage (`DataEngineMismatchError`), not an
 * older version (`NewerDataError`). The database itself refuses neither. Versions that are not numbers with dots have no order: they
 * are let through.
 */
export function checkEngine(recorded: EngineIdentity | undefined, asked: EngineIdentity, path: string): void {
  if (recorded === undefined) return
  if (recorded.engine !== asked.engine || recorded.storage !== asked.storage) {
    throw new DataEngineMismatchError({ path, recorded, asked })
  }
  if (isNewer(recorded.version, asked.version)) throw new NewerDataError({ path, recorded, asked })
}

/** `3.0.0` is newer than `3.0.0-beta.2`, which is newer than `2.6.5`. */
function isNewer(a: string, b: string): boolean {
  const [left, right] = [parseVersion(a), parseVersion(b)]
  if (left === undefined || right === undefined) return false
  return compareParts(left, right) > 0
}

/** The numbers, then the parts of the pre-release, `undefined` for a release, which comes after all of its pre-releases. */
interface Version {
  readonly numbers: readonly number[]
  readonly pre: readonly string[] | undefined
}

function parseVersion(text: string): Version | undefined {
  const match = /^v?(\d+(?:\.\d+)*)(?:-([0-9A-Za-z.-]+))?(?:\+.*)?$/.exec(text)
  if (match?.[1] === undefined) return undefined
  return { numbers: match[1].split('.').map(Number), pre: match[2]?.split('.') }
}

function compareParts(a: Version, b: Version): number {
  for (let i = 0; i < Math.max(a.numbers.length, b.numbers.length); i++) {
    const difference = (a.numbers[i] ?? 0) - (b.numbers[i] ?? 0)
    if (difference !== 0) return difference
  }
  if (a.pre === undefined || b.pre === undefined) return Number(a.pre === undefined) - Number(b.pre === undefined)
  for (let i = 0; i < Math.max(a.pre.length, b.pre.length); i++) {
    const difference = comparePreRelease(a.pre[i], b.pre[i])
    if (difference !== 0) return difference
  }
  return 0
}

/** As semver has it: fewer parts come first, numbers before words. */
function comparePreRelease(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined)
  const [isNumberA, isNumberB] = [/^\d+$/.test(a), /^\d+$/.test(b)]
  if (isNumberA && isNumberB) return Number(a) - Number(b)
  if (isNumberA !== isNumberB) return isNumberA ? -1 : 1
  return a < b ? -1 : Number(a > b)
}

function isEngineIdentity(value: unknown): value is EngineIdentity {
  if (typeof value !== 'object' || value === null) return false
  const { engine, version, storage } = value as Record<string, unknown>
  return typeof engine === 'string' && typeof version === 'string' && typeof storage === 'string'
}
