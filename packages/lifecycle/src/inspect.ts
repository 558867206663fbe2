import type { SlotBackend, SlotInfo } from '@procref/core'
import { isUp, look, type View } from './client/look.ts'
import { lookAtSlots } from './inspect-slots.ts'
import { type KeeperSeen, lookAtKeeper } from './keeper/keeper-file.ts'
import { layout } from './state/layout.ts'
import type { ServerRecord, ServerState } from './state/server-record.ts'

/** What can be seen of a directory from outside, changing and making nothing. */
export interface Inspection {
  readonly dir: string
  /** What the record says, if its guardian lives; `failed` and `stopped` else. */
  readonly state: ServerState
  readonly guardian: View['guardian']
  readonly record?: ServerRecord
  readonly slots?: number
  readonly holders: readonly SlotInfo[]
  /** Who keeps the server up on purpose (`keepServer`); one of the holders. */
  readonly keeper: KeeperSeen
}

/** Looks at records and locks. Throws `NewerProtocolError`, and what keeps the slots from being looked at. */
export async function inspect(dir: string, backend: SlotBackend): Promise<Inspection> {
  const paths = layout(dir)
  const { record, guardian } = look(backend.locks, paths)
  const { size, held } = await lookAtSlots(backend, paths.slots)
  return {
    dir: paths.root,
    state: stateOf(record, guardian),
    guardian,
    holders: held,
    keeper: lookAtKeeper(backend.locks, paths.keeperLock),
    ...(record !== undefined && { record }),
    ...(size !== undefined && { slots: size }),
  }
}

/** A state is what a guardian wanted last: without a living guardian only the end of it counts. */
function stateOf(record: ServerRecord | undefined, guardian: View['guardian']): ServerState {
  if (record === undefined) return 'stopped'
  if (guardian === 'absent') return record.state === 'failed' ? 'failed' : 'stopped'
  return record.state
}

/** The record of the server that is up at this moment; `undefined` when there is none to talk to. Looks at no slot. */
export function readRunningServer(dir: string, backend: SlotBackend): ServerRecord | undefined {
  const view = look(backend.locks, layout(dir))
  return isUp(view) ? view.record : undefined
}
