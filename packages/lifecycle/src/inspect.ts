import { type ProcessIdentity, processState, type SlotBackend, type SlotInfo } from '@procref/core'
import { isUp, look, type View } from './client/look.ts'
import { describeStandstill, isStopped } from './identity/standstill.ts'
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
  /** What the kernel says guardian and server are doing, `T (stopped)`, where they run and can be seen. */
  readonly processes: { readonly guardian?: string; readonly server?: string }
  /** What somebody should see to, one sentence each without its full stop; empty when all is well. */
  readonly problems: readonly string[]
  /** Who keeps the server up on purpose (`keepServer`); one of the holders. */
  readonly keeper: KeeperSeen
}

/** Looks at records and locks. Throws `NewerProtocolError`, and what keeps the slots from being looked at. */
export async function inspect(dir: string, backend: SlotBackend): Promise<Inspection> {
  const paths = layout(dir)
  const { record, guardian } = look(backend.locks, paths)
  const { size, held } = await lookAtSlots(backend, paths.slots)
  const state = stateOf(record, guardian)
  const processes = guardian === 'absent' ? {} : processesOf(record)
  return {
    dir: paths.root,
    state,
    processes,
    problems: guardian === 'absent' ? [] : problemsOf(state, record, processes),
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

function processesOf(record: ServerRecord | undefined): Inspection['processes'] {
  const guardian = record && processState(record.guardian)
  const server = record?.server && processState(record.server)
  return { ...(guardian !== undefined && { guardian }), ...(server !== undefined && { server }) }
}

function problemsOf(
  state: ServerState,
  record: ServerRecord | undefined,
  processes: Inspection['processes'],
): readonly string[] {
  const problems: string[] = []
  const stands = (what: string, process: ProcessIdentity, seen: string | undefined): void => {
    // A wait for the disk is news only where something does not go on.
    if (!isStopped(seen) && state !== 'unresponsive') return
    const why = describeStandstill(seen, process.pid)
    if (why !== undefined) problems.push(`${what} (pid ${process.pid}) ${why}`)
  }
  const server = record?.server
  if (state === 'unresponsive')
    problems.push(`the server (pid ${server?.pid}) does not answer; it is not ended for that`)
  if (server !== undefined) stands('the server', server, processes.server)
  if (record !== undefined && record.guardian.pid !== server?.pid) {
    stands('the guardian', record.guardian, processes.guardian)
  }
  return problems
}

/** The record of the server that is up at this moment; `undefined` when there is none to talk to. Looks at no slot. */
export function readRunningServer(dir: string, backend: SlotBackend): ServerRecord | undefined {
  const view = look(backend.locks, layout(dir))
  return isUp(view) ? view.record : undefined
}
