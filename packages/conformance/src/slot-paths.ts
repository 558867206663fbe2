import type { Context } from './context.ts'

/**
 * The files of all slots of the pool in `dir`, which is made with `slots` of them; all are free again afterwards.
 * `undefined`, and said in the output, when the backend's slots have no file of their own.
 */
export async function slotPaths(context: Context, dir: string, slots: number): Promise<readonly string[] | undefined> {
  const pool = await context.backend.open(dir, { slots })
  const paths: string[] = []
  try {
    for (let n = 0; n < slots; n++) {
      const slot = await pool.tryClaim()
      if (slot?.path !== undefined) paths[slot.id] = slot.path
    }
  } finally {
    await pool.close()
  }
  if (new Set(paths).size === slots && !paths.includes(dir)) return paths
  context.note('slots have no file each, so nobody can damage the file of one')
  return undefined
}

/** As `slotPaths`, for a pool of one slot. */
export async function onlySlotPath(context: Context, dir: string): Promise<string | undefined> {
  return (await slotPaths(context, dir, 1))?.[0]
}
