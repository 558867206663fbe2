import type { OpenPoolOptions, SlotBackend, SlotPool } from '@procref/core'
import { readConfigFile } from '@procref/lifecycle'
import { chooseBackend } from './choose-backend.ts'
import { UsageError } from './cli/exit-code.ts'
import { warnOfFallback } from './fallback-warning.ts'
import { type PlaceOptions, resolvePlace } from './place.ts'

export interface PoolOptions extends PlaceOptions {
  readonly slots?: number
  readonly label?: string
  readonly allowUnsafeFilesystem?: boolean
}

/** Opens the directory's pool for the time of `use`, making it if there is none. */
export async function withPool<T>(options: PoolOptions, use: (pool: SlotPool) => Promise<T>): Promise<T> {
  const paths = resolvePlace(options.dir)
  const { backend: name, allowUnsafeFilesystem } = options
  const selection = await chooseBackend({ name, slotsDir: paths.slots, allowUnsafeFilesystem })
  warnOfFallback(selection)
  const slots = options.slots ?? readConfigFile(paths.config).slots
  await using pool = await openOrExplain(selection.backend, paths.slots, {
    ...openOptions(options),
    ...(slots !== undefined && { slots }),
  })
  return await use(pool)
}

/** What the command line lets through and this backend does not is wrong usage, not a fault. */
async function openOrExplain(backend: SlotBackend, dir: string, options: OpenPoolOptions): Promise<SlotPool> {
  try {
    return await backend.open(dir, options)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new UsageError(`${backend.name}: ${error.message}. \`--backend ofd-range\` takes the most, 100000.`)
  }
}

/** What was said of the pool, in the words of `SlotBackend.open`. */
export function openOptions({ slots, label, allowUnsafeFilesystem }: PoolOptions): OpenPoolOptions {
  return {
    ...(slots !== undefined && { slots }),
    ...(label !== undefined && { label }),
    ...(allowUnsafeFilesystem !== undefined && { allowUnsafeFilesystem }),
  }
}
