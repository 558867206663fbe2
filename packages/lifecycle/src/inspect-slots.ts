import { type OpenPoolOptions, readProtocolPin, type SlotBackend, type SlotInfo } from '@procref/core'

export interface SlotsSeen {
  /** How many slots there are; absent in a directory that nobody has used yet. */
  readonly size?: number
  readonly held: readonly SlotInfo[]
}

/**
 * Who holds a slot in `dir`, without making the directory.
 * Throws as `SlotBackend.open`.
 */
export async function lookAtSlots(
  backend: SlotBackend,
  dir: string,
  options: OpenPoolOptions = {},
): Promise<SlotsSeen> {
  // open() makes what is missing; nobody can hold a slot of a pool that was never made.
  if (readProtocolPin(dir) === undefined) return { held: [] }
  await using pool = await backend.open(dir, options)
  return { size: pool.size, held: await pool.held() }
}
