import type { SlotPool } from '@procref/core'
import { resolveBackend } from './backends.ts'
import { type PlaceOptions, resolvePlace } from './place.ts'

export interface PoolOptions extends PlaceOptions {
  readonly slots?: number
  readonly label?: string
  readonly allowUnsafeFilesystem?: boolean
}

/** Opens the directory's pool for the time of `use`, making it if there is none. */
export async function withPool<T>(options: PoolOptions, use: (pool: SlotPool) => Promise<T>): Promise<T> {
  const backend = await resolveBackend(options.backend)
  await using pool = await backend.open(resolvePlace(options).slots, {
    ...(options.slots === undefined ? {} : { slots: options.slots }),
    ...(options.label === undefined ? {} : { label: options.label }),
    ...(options.allowUnsafeFilesystem === true ? { allowUnsafeFilesystem: true } : {}),
  })
  return await use(pool)
}
