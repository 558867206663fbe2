import type { Storage } from '@procref/lifecycle'
import type { PlaceOptions } from './place.ts'
import type { DriverName } from './server-names.ts'
import type { ServiceQuestion } from './service.ts'

/** What every command that ensures the server takes, as the command line names it. */
export interface ServiceOptions extends PlaceOptions {
  readonly driver?: DriverName
  readonly storage?: Storage
  readonly port?: number
  readonly slots?: number
  readonly linger?: number
  readonly timeout?: number
  readonly upgrade?: boolean
  readonly label?: string
  readonly allowUnsafeFilesystem?: boolean
}

/** The same in the words of `connect()`; what was not said stays unsaid. */
export function toQuestion(options: ServiceOptions, label: string): ServiceQuestion {
  const { dir, backend, driver, storage, port, slots, linger, timeout, upgrade, allowUnsafeFilesystem } = options
  return {
    label: options.label ?? label,
    ...(dir !== undefined && { dir }),
    ...(backend !== undefined && { backend }),
    ...(driver !== undefined && { driver }),
    ...(storage !== undefined && { storage }),
    ...(port !== undefined && { port }),
    ...(slots !== undefined && { slots }),
    ...(linger !== undefined && { lingerMs: linger }),
    ...(timeout !== undefined && { timeoutMs: timeout }),
    ...(upgrade === true && { whenOlder: 'upgrade' }),
    ...(allowUnsafeFilesystem !== undefined && { allowUnsafeFilesystem }),
  }
}
