import { type OpenPoolOptions, PoolSizeMismatchError, type SlotBackend, type SlotPool } from '@procref/core'

/**
 * The pool in `dir` as it is; where there is none any more (its folder was deleted while it was used), a new one of `slots`: the size that its
 * users know, and not the default, with which whoever names the size would be refused from then on.
 * Throws as `SlotBackend.open`.
 */
export async function openSlots(
  backend: SlotBackend,
  dir: string,
  slots: number | undefined,
  options: Omit<OpenPoolOptions, 'slots'>,
): Promise<SlotPool> {
  if (slots === undefined) return await backend.open(dir, options)
  try {
    return await backend.open(dir, { ...options, slots })
  } catch (error) {
    if (!(error instanceof PoolSizeMismatchError)) throw error
    return await backend.open(dir, options)
  }
}
