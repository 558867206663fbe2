import type { SlotInfo } from '@procref/core'
import { lookAtSlots } from '@procref/lifecycle'
import { resolveBackend } from '../choose-backend.ts'
import type { Colors } from '../cli/output.ts'
import { formatTable } from '../cli/table.ts'
import { formatAge } from '../cli/time.ts'
import { resolvePlace } from '../place.ts'
import { openOptions, type PoolOptions } from '../slot-pool.ts'

export interface SlotListOptions extends PoolOptions {
  readonly json?: boolean
}

export interface SlotListResult {
  readonly dir: string
  readonly backend: string
  /** How many slots there are; `null` in a directory that nobody has used yet. */
  readonly size: number | null
  /** Who holds a slot now, by slot. Only `slot` is certain, the rest is what the holder wrote. */
  readonly held: readonly SlotInfo[]
}

/** Finds by probing who holds a slot. Makes nothing: without a directory nobody holds anything. */
export async function listSlots(options: SlotListOptions): Promise<SlotListResult> {
  const { root, slots } = resolvePlace(options.dir)
  const backend = await resolveBackend(options.backend, slots)
  const { size, held } = await lookAtSlots(backend, slots, openOptions(options))
  return { dir: root, backend: backend.name, size: size ?? null, held }
}

export function viewSlotList(result: SlotListResult, colors: Colors): string {
  if (result.size === null) return `${result.dir} has no slots yet`
  const summary = `${result.held.length} of ${result.size} slots in use in ${result.dir}`
  return result.held.length === 0 ? summary : `${viewHolders(result.held, colors)}\n${colors.dim(summary)}`
}

/** Holders as a table, for `slot list` and `ps`. */
export function viewHolders(held: readonly SlotInfo[], colors: Colors): string {
  return formatTable([
    ['SLOT', 'PID', 'SINCE', 'LABEL', 'PROGRAM'].map((title) => colors.dim(title)),
    ...held.map((holder) => [
      String(holder.slot),
      String(holder.pid ?? '?'),
      holder.startedAt === undefined ? '?' : formatAge(holder.startedAt),
      holder.label ?? '-',
      holder.program ?? '?',
    ]),
  ])
}
