import { resolve } from 'node:path'
import { readConfigFile, type Storage, type TakeOverOptions, takeOver } from '@procref/lifecycle'
import { chooseBackend, resolveBackend } from '../choose-backend.ts'
import { UsageError } from '../cli/exit-code.ts'
import type { Colors } from '../cli/output.ts'
import { type AskHidden, readPassword } from '../cli/password.ts'
import { whileWaiting } from '../cli/progress.ts'
import { size } from '../cli/size.ts'
import { untilSignal } from '../cli/until-signal.ts'
import { resolveDriver } from '../drivers.ts'
import { resolvePlace } from '../place.ts'
import type { DriverName } from '../server-names.ts'
import type { LookOptions } from './status.ts'

export interface TakeOverCommandOptions extends LookOptions {
  readonly driver?: DriverName
  readonly storage?: Storage
  readonly user?: string
  /** `-`: standard input. */
  readonly passwordFile?: string
  readonly copy?: boolean
  readonly upgrade?: boolean
  readonly fromVersion?: string
}

/** Stable: fields are only added. */
export interface TookOver {
  readonly dir: string
  /** `finished`: one that had been killed was there, and only the rest was left to do. */
  readonly state: 'taken-over' | 'finished'
  readonly folder: string
  readonly original: 'removed' | 'kept'
  readonly storage: string
  readonly user: string
  readonly files: number
  readonly bytes: number
  /** The version that had the data open last; `null`: one that does not record itself. */
  readonly writtenBy: string | null
  /** The version that has them now. */
  readonly version: string
}

/** What only tests say. */
export interface TakeOverHooks {
  readonly ask?: AskHidden
  readonly onStep?: NonNullable<TakeOverOptions['onStep']>
}

const ROOT = 'root'

/** Makes the database in a folder the one of the directory. Throws as `takeOver`; `UsageError` where no password can be had. */
export async function takeOverFolder(
  where: string,
  options: TakeOverCommandOptions,
  { ask, onStep }: TakeOverHooks = {},
): Promise<TookOver> {
  const paths = resolvePlace(options.dir)
  const { folder, storage } = parseFolder(where, options.storage)
  const { storage: configured } = readConfigFile(paths.config)
  if (configured === 'memory' || (configured !== undefined && storage !== undefined && configured !== storage)) {
    throw new UsageError(
      `${paths.config} says storage ${configured}. Take that back first: \`procref config unset storage\`.`,
    )
  }
  const user = options.user ?? ROOT
  const password = await readPassword(options.passwordFile, `Password of ${user} in ${folder}: `, ask)
  const taken = await untilSignal((signal) =>
    whileWaiting(async (onProgress) =>
      takeOver({
        dir: paths.root,
        folder,
        signal,
        backend: await resolveBackend(options.backend, paths.slots),
        temporaryBackend: (await chooseBackend({ slotsDir: `${resolve(folder)}.procref`, env: {} })).backend,
        credentials: { user, password },
        driver: (found) => resolveDriver({ paths, driver: options.driver, storage: found }),
        original: options.copy === true ? 'keep' : 'remove',
        whenOlder: options.upgrade === true ? 'upgrade' : 'fail',
        ...ifSaid('storage', storage ?? configured),
        ...ifSaid('writtenBy', options.fromVersion),
        onProgress: (message) => onProgress({ message }),
        ...ifSaid('onStep', onStep),
      }),
    ),
  )
  return {
    dir: paths.root,
    state: taken.resumed ? 'finished' : 'taken-over',
    folder: taken.folder,
    original: taken.original,
    storage: taken.storage,
    user,
    files: taken.files,
    bytes: taken.bytes,
    writtenBy: taken.writtenBy ?? null,
    version: taken.engine.version,
  }
}

export function viewTakeOver(result: TookOver, colors: Colors): string {
  const { dir, state, folder, original, storage, user, files, bytes, writtenBy, version } = result
  const what = `the ${storage} database of ${folder} (${files} files, ${size(bytes)})`
  const lines = [`${colors.green(state === 'finished' ? 'finished' : 'taken over')}  ${what} is in ${dir} now`]
  if (writtenBy === null) lines.push(`  upgraded to SurrealDB ${version}`)
  else if (writtenBy !== version) lines.push(`  last used by SurrealDB ${writtenBy}, from now on by ${version}`)
  if (state === 'taken-over') lines.push(`  its root user ${user} stays, with the password that it had`)
  lines.push(
    original === 'removed'
      ? `  ${folder} is removed`
      : `  ${folder} stays as it was, and is another database from now on`,
  )
  return lines.join('\n')
}

/** People have the words of their server's command line: `rocksdb://some/folder`. */
function parseFolder(
  where: string,
  asked: Storage | undefined,
): { readonly folder: string; readonly storage?: Storage } {
  const [, scheme, rest] = /^(rocksdb|surrealkv|file):(?:\/\/)?(.+)$/.exec(where) ?? []
  if (scheme === undefined || rest === undefined) return { folder: where, ...ifSaid('storage', asked) }
  if (rest.includes('?')) {
    throw new UsageError(
      `${where}: procref cannot keep what stands behind the "?". Give the folder alone, if its data do not need it.`,
    )
  }
  const storage = scheme === 'surrealkv' ? 'surrealkv' : 'rocksdb'
  if (asked !== undefined && asked !== storage) throw new UsageError(`${where} is not ${asked}, as --storage says.`)
  return { folder: rest, storage }
}

function ifSaid<K extends string, V>(name: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [P in K]: V })
}
