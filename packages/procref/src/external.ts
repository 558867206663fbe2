import type { SlotBackend } from '@procref/core'
import { type ExternalConnectOptions, type ExternalDriver, readConfigFile } from '@procref/lifecycle'
import { resolvePlace } from './place.ts'
import { findBackend, type ServiceQuestion } from './service.ts'

/** As the lifecycle's `ExternalConnectOptions`, but the backend is found when it is left out, and may be given by name. */
export interface ExternalQuestion extends Omit<ExternalConnectOptions, 'backend'> {
  /** Default: `$PROCREF_BACKEND`, else the best. */
  readonly backend?: SlotBackend | string
}

export function isExternal(options: ServiceQuestion | ExternalQuestion): options is ExternalQuestion {
  return typeof options.driver === 'object' && isElsewhere(options.driver)
}

function isElsewhere(driver: { readonly placement: string }): driver is ExternalDriver {
  return driver.placement === 'elsewhere'
}

/**
 * Finds the directory, its number of slots (config.json; what else is in there is about a server of this machine) and the backend. Makes
 * nothing. Throws `UnknownBackendError`, `ConfigFileError`, and `TypeError` for a storage, which is not ours to choose.
 */
export async function resolveExternal(question: ExternalQuestion): Promise<ExternalConnectOptions> {
  if ('storage' in question && question.storage !== undefined) {
    throw new TypeError('storage: that of an external server is for whoever runs it to choose')
  }
  const { backend, ...rest } = question
  const paths = resolvePlace(question.dir)
  const { slots } = readConfigFile(paths.config)
  return {
    ...(slots !== undefined && { slots }),
    ...rest,
    dir: paths.root,
    backend: typeof backend === 'object' ? backend : await findBackend(backend, paths.externalSlots, rest),
  }
}
