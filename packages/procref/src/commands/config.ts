import { DEFAULT_SLOTS, readProtocolPin, secureDirectory } from '@procref/core'
import {
  type DirectoryConfig,
  problemOfSetting,
  readConfigFile,
  readEngineRecord,
  readServerRecord,
  SETTING_NAMES,
  writeConfigFile,
} from '@procref/lifecycle'
import { InvalidArgumentError } from 'commander'
import { UsageError } from '../cli/exit-code.ts'
import { parseDuration } from '../cli/option-values.ts'
import type { Colors } from '../cli/output.ts'
import { formatTable } from '../cli/table.ts'
import { SettingFixedError } from '../errors.ts'
import { resolvePlace } from '../place.ts'
import type { LookOptions } from './status.ts'

type Name = keyof DirectoryConfig
type Value = string | number

/** Stable: fields are only added. */
export interface Configuration {
  readonly dir: string
  /** Where the settings are. */
  readonly file: string
  readonly settings: readonly Setting[]
}

export interface Setting {
  readonly name: Name
  /** What holds for a call that says nothing itself; `null`: nothing is settled, it is found at the start. */
  readonly value: Value | null
  /**
   * `config.json`; `made`: the directory was made with it; `recorded`: the last server's, kept for the next one; `default`.
   */
  readonly from: 'config.json' | 'made' | 'recorded' | 'default'
}

const DEFAULTS: { readonly [K in Name]-?: Value | null } = {
  storage: 'rocksdb',
  port: null,
  slots: DEFAULT_SLOTS,
  lingerMs: 10_000,
}

/** What holds for whoever comes without wishes, and why. Makes nothing. Throws `ConfigFileError`. */
export function readConfiguration(options: LookOptions): Configuration {
  const paths = resolvePlace(options.dir)
  const config = readConfigFile(paths.config)
  const found = foundIn(paths)
  const settings = SETTING_NAMES.map((name): Setting => {
    const value = config[name]
    if (value !== undefined) return { name, value, from: 'config.json' }
    return { name, ...(found[name] ?? { value: DEFAULTS[name], from: 'default' }) }
  })
  return { dir: paths.root, file: paths.config, settings }
}

/** What the directory itself has settled. */
function foundIn(paths: ReturnType<typeof resolvePlace>): { readonly [K in Name]?: Omit<Setting, 'name'> } {
  const storage = readEngineRecord(paths.engineJson)?.storage
  const slots = readProtocolPin(paths.slots)?.slots
  const port = readServerRecord(paths.serverJson)?.port
  return {
    ...(storage !== undefined && { storage: { value: storage, from: 'made' } }),
    ...(slots !== undefined && { slots: { value: slots, from: 'made' } }),
    ...(port !== undefined && { port: { value: port, from: 'recorded' } }),
  }
}

/**
 * Makes `text` the setting `name` of the directory, which is made if it is missing; `undefined` takes the setting back.
 * Throws `UsageError` for what cannot be, `SettingFixedError` for what the directory was made with, `ConfigFileError`, and then nothing was changed.
 */
export function changeSetting(options: LookOptions, name: string, text: string | undefined): Configuration {
  const paths = resolvePlace(options.dir)
  const known = SETTING_NAMES.find((one) => one === name)
  if (known === undefined)
    throw new UsageError(`There is no setting ${JSON.stringify(name)}. The settings are ${SETTING_NAMES.join(', ')}.`)
  const { [known]: before, ...others } = readConfigFile(paths.config)
  if (text === undefined) {
    if (before !== undefined) writeConfigFile(paths.config, others)
    return readConfiguration(options)
  }
  const value = parseSetting(known, text)
  const made = foundIn(paths)[known]
  if (made?.from === 'made' && made.value !== value)
    throw new SettingFixedError({ dir: paths.root, name: known, made: made.value, asked: value })
  secureDirectory(paths.root)
  writeConfigFile(paths.config, { ...others, [known]: value })
  return readConfiguration(options)
}

function parseSetting(name: Name, text: string): Value {
  const value = name === 'lingerMs' ? milliseconds(text) : /^\d+$/.test(text) ? Number(text) : text
  const problem = problemOfSetting(name, value)
  if (problem !== undefined) throw new UsageError(`${problem}.`)
  return value
}

/** `10s`, `500ms`; a bare number is one of milliseconds, as the name of the setting says. */
function milliseconds(text: string): Value {
  if (/^\d+$/.test(text)) return Number(text)
  try {
    return parseDuration(text)
  } catch (error) {
    if (error instanceof InvalidArgumentError) return text
    throw error
  }
}

const FROM: Readonly<Record<Setting['from'], string>> = {
  'config.json': 'config.json',
  made: 'the directory was made with it',
  recorded: 'the last server had it; the next one tries it first',
  default: 'default',
}

export function viewConfiguration({ file, settings }: Configuration, colors: Colors): string {
  const rows = settings.map(({ name, value, from }) => [
    colors.bold(name),
    value === null ? 'a free one' : String(value),
    colors.dim(FROM[from]),
  ])
  return `${formatTable(rows)}\n${colors.dim(file)}`
}
