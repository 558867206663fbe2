import { ConfigFileError, StateFileUnsafeError } from '../errors.ts'
import { replaceFileDurably } from './atomic-file.ts'
import { lineOfKey, lineOfSyntaxError } from './json-position.ts'
import { newNonce } from './nonce.ts'
import { plainJson } from './plain-text.ts'
import { parseJson, readSmallFile } from './small-file.ts'

const STORAGES = ['memory', 'rocksdb', 'surrealkv'] as const
type StorageName = (typeof STORAGES)[number]

/** Settings of the whole directory, written by people; what a call asks for explicitly comes before them. */
export interface DirectoryConfig {
  readonly storage?: StorageName
  readonly port?: number
  readonly slots?: number
  readonly lingerMs?: number
}

/** Answers what a value must be, in words, or `undefined` when it is that. */
type Rule = (value: unknown) => string | undefined

const RULES: { readonly [K in keyof Required<DirectoryConfig>]: Rule } = {
  storage: (value) =>
    STORAGES.includes(value as StorageName) ? undefined : `one of ${STORAGES.map((s) => `"${s}"`).join(', ')}`,
  port: wholeNumber(1, 65_535),
  slots: wholeNumber(1, 100_000),
  // setTimeout takes no longer delay.
  lingerMs: wholeNumber(0, 2_147_483_647),
}

/** The settings in `config.json`, none when there is no such file. Throws `ConfigFileError` with path and line. */
export function readConfigFile(path: string): DirectoryConfig {
  const file = readSmallFile(path)
  if (file.kind === 'missing') return {}
  if (file.kind === 'unusable')
    throw new StateFileUnsafeError(path, file.reason, 'Put a regular file there, or remove it')
  const value = parseJson(file.text)
  if (value === undefined) {
    throw new ConfigFileError({ path, line: lineOfSyntaxError(file.text), problem: 'this is not valid JSON' })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ConfigFileError({
      path,
      line: 1,
      problem: 'the file must contain an object, such as {"lingerMs": 10000}',
    })
  }
  for (const [key, setting] of Object.entries(value)) {
    const problem = isSetting(key)
      ? explain(key, RULES[key](setting), setting)
      : `there is no setting ${plainJson(key)}; the settings are ${Object.keys(RULES).join(', ')}`
    if (problem !== undefined) throw new ConfigFileError({ path, line: lineOfKey(file.text, key), problem })
  }
  return value
}

/** Every setting, with what its value must be, in words. */
export const SETTING_NAMES: readonly (keyof DirectoryConfig)[] = ['storage', 'port', 'slots', 'lingerMs']

/** Why this cannot be a setting of that name, in words; `undefined`: it can. */
export function problemOfSetting(name: keyof DirectoryConfig, value: unknown): string | undefined {
  return explain(name, RULES[name](value), value)
}

/**
 * Makes `config` the settings of the directory. A value that cannot be throws `TypeError`.
 *
 * Guarantee: a reader sees the old settings or the new ones; after it returned the new ones survive a power cut.
 * Caller: the directory exists and is ours. Of two callers at once the last one wins.
 */
export function writeConfigFile(path: string, config: DirectoryConfig): void {
  for (const name of SETTING_NAMES) {
    const problem = config[name] === undefined ? undefined : problemOfSetting(name, config[name])
    if (problem !== undefined) throw new TypeError(problem)
  }
  replaceFileDurably(path, `${JSON.stringify(config, null, 2)}\n`, newNonce())
}

function isSetting(key: string): key is keyof DirectoryConfig {
  return Object.hasOwn(RULES, key)
}

function explain(key: string, expected: string | undefined, found: unknown): string | undefined {
  return expected === undefined ? undefined : `${key} must be ${expected}, not ${inWords(found)}`
}

/** Of what is no single value only what it is: it may be as large as a file, and nest deeper than calls can. */
function inWords(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' && value !== null ? 'an object' : plainJson(value)
}

function wholeNumber(from: number, to: number): Rule {
  return (value) =>
    Number.isInteger(value) && (value as number) >= from && (value as number) <= to
      ? undefined
      : `a whole number from ${from} to ${to}`
}
