import type { SlotBackend } from '@procref/core'
import { readConfigFile, type ServerDriver, type SharedServiceOptions, type Storage } from '@procref/lifecycle'
import { chooseBackend } from './choose-backend.ts'
import { resolveDriver } from './drivers.ts'
import { warnOfFallback } from './fallback-warning.ts'
import { resolvePlace } from './place.ts'
import type { DriverName } from './server-names.ts'

/** What a program may say about the server it wants to share; whatever is left out is found. */
export interface ServiceQuestion extends Omit<SharedServiceOptions, 'backend' | 'driver' | 'whenDifferent'> {
  /** Default: `$PROCREF_BACKEND`, else the best. */
  readonly backend?: SlotBackend | string
  /** Default: whatever serves the directory now, else the best that this machine has and that need not upgrade what the embedded engine has written. */
  readonly driver?: ServerDriver | DriverName
  /** Default: `storage` in config.json, else what the data were written with, else `rocksdb`. */
  readonly storage?: Storage
  /**
   * A server with another configuration runs: `fail` with `ConfigMismatchError`, or `join` it as it is. Default: `fail` if a
   * driver, a storage or a port was asked for, else `join`.
   */
  readonly whenDifferent?: 'fail' | 'join'
}

/** Nothing is left to be found. */
export type ResolvedService = SharedServiceOptions & { readonly dir: string }

/**
 * Finds what was not said: the directory, its settings (config.json), the backend and the server. Makes nothing.
 * Throws `UnknownBackendError`, `ConfigFileError`, `NewerProtocolError`.
 */
export async function resolveService(question: ServiceQuestion): Promise<ResolvedService> {
  const { backend, driver, storage, ...rest } = question
  const paths = resolvePlace(question.dir)
  const config = readConfigFile(paths.config)
  const asked = driver !== undefined || storage !== undefined || question.port !== undefined
  return {
    whenDifferent: asked ? 'fail' : 'join',
    ...settingsIn(config),
    ...rest,
    dir: paths.root,
    backend: typeof backend === 'object' ? backend : await findBackend(backend, paths.slots, rest),
    driver: await resolveDriver({ paths, driver, storage: storage ?? config.storage, whenOlder: question.whenOlder }),
  }
}

/** The backend of that name, else the best for the slots in `slotsDir`; warns (`warnOfFallback`) of a lesser one. */
export async function findBackend(
  name: string | undefined,
  slotsDir: string,
  { allowUnsafeFilesystem }: Pick<ServiceQuestion, 'allowUnsafeFilesystem'>,
): Promise<SlotBackend> {
  const selection = await chooseBackend({ name, slotsDir, allowUnsafeFilesystem })
  warnOfFallback(selection)
  return selection.backend
}

/** Those settings of a directory that a lease knows by the same name. */
export function settingsIn(
  config: ReturnType<typeof readConfigFile>,
): Pick<SharedServiceOptions, 'port' | 'slots' | 'lingerMs'> {
  const { port, slots, lingerMs } = config
  return {
    ...(port !== undefined && { port }),
    ...(slots !== undefined && { slots }),
    ...(lingerMs !== undefined && { lingerMs }),
  }
}
