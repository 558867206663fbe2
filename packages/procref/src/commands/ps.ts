import type { SlotInfo } from '@procref/core'
import { inspect } from '@procref/lifecycle'
import { resolveBackend } from '../choose-backend.ts'
import type { Colors } from '../cli/output.ts'
import { formatTable } from '../cli/table.ts'
import { type ExternalUsers, lookAtExternalUsers, viewExternalUsers } from '../external-users.ts'
import { resolvePlace } from '../place.ts'
import { viewHolders } from './slot-list.ts'
import { type LookOptions, type ServerStatus, type Status, statusOf } from './status.ts'

/** Stable: fields are only added. */
export interface Processes {
  readonly dir: string
  readonly state: Status['state']
  readonly slots: number | null
  readonly server: ServerStatus | null
  readonly problems: Status['problems']
  readonly keeperPid: number | null
  /** Who holds a slot now, by slot. Only `slot` is certain, the rest is what the holder wrote. */
  readonly holders: readonly SlotInfo[]
  /** Who uses servers elsewhere from here; `null`: nobody ever has. */
  readonly external: ExternalUsers | null
}

/** The processes of a directory: guardian, server, and who uses it. Changes nothing. */
export async function readProcesses(options: LookOptions): Promise<Processes> {
  const place = resolvePlace(options.dir)
  const seen = await inspect(place.root, await resolveBackend(options.backend, place.slots))
  const { dir, state, slots, server, problems, keeperPid } = statusOf(seen)
  const external = await lookAtExternalUsers(place)
  return { dir, state, slots, server, problems, keeperPid, holders: seen.holders, external }
}

export function viewProcesses(processes: Processes, colors: Colors): string {
  const { dir, state, server, slots, holders, problems, external } = processes
  const lines: string[] = []
  if (server !== null) {
    const rows = [['guardian', `pid ${server.guardianPid}`, server.guardianProcessState ?? '']]
    // The embedded engine runs in the guardian.
    if (server.pid !== server.guardianPid) rows.push(['server', `pid ${server.pid ?? '?'}`, server.processState ?? ''])
    lines.push(formatTable(rows))
  }
  if (holders.length > 0) lines.push(viewHolders(holders, colors))
  for (const problem of problems) lines.push(colors.red(problem))
  lines.push(colors.dim(`${state}, ${holders.length} of ${slots ?? 0} slots in use in ${dir}`))
  if (external !== null) {
    if (external.holders.length > 0) lines.push(viewHolders(external.holders, colors))
    lines.push(colors.dim(viewExternalUsers(external)))
  }
  return lines.join('\n')
}
