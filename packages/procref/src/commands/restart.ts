import { inspect, readServerRecord, requestRestart, type ServerRecord } from '@procref/lifecycle'
import { backendAsRecorded, resolveBackend } from '../choose-backend.ts'
import type { Colors } from '../cli/output.ts'
import { whileWaiting } from '../cli/progress.ts'
import { untilSignal } from '../cli/until-signal.ts'
import { driverAsRecorded } from '../drivers.ts'
import { resolvePlace } from '../place.ts'
import { type LookOptions, type Status, statusOf, viewStatus } from './status.ts'

export interface RestartServerOptions extends LookOptions {
  /** ms */
  readonly timeout?: number
}

/** Stable: fields are only added. */
export interface Restarted extends Status {
  /** False: nothing ran, and nothing was started. */
  readonly restarted: boolean
  /** What ran before; `null` when nothing was restarted. */
  readonly previous: { readonly epoch: number; readonly guardianPid: number; readonly procref: string } | null
}

/**
 * Replaces the guardian and its server by this version's, with the backend, the driver and the settings that they have.
 * Throws as `requestRestart`; `DescriptorError` when what the guardian was made with cannot be loaded here.
 */
export async function restartServer(options: RestartServerOptions): Promise<Restarted> {
  const { root, serverJson, slots } = resolvePlace(options.dir)
  const record = readServerRecord(serverJson)
  const backend =
    record === undefined || options.backend !== undefined
      ? await resolveBackend(options.backend, slots)
      : await backendAsRecorded(record.backend)
  const before = record === undefined ? undefined : await restart(options, root, record, backend)
  return {
    ...statusOf(await inspect(root, backend)),
    restarted: before !== undefined,
    previous:
      before === undefined ? null : { epoch: before.epoch, guardianPid: before.guardian.pid, procref: before.procref },
  }
}

/** What ran before. `undefined`: nothing did. */
async function restart(
  { timeout }: RestartServerOptions,
  dir: string,
  record: ServerRecord,
  backend: Awaited<ReturnType<typeof resolveBackend>>,
): Promise<ServerRecord | undefined> {
  const driver = await driverAsRecorded(record.driver)
  // Whoever gives up waiting takes back what was asked, unless the guardian has begun.
  const outcome = await untilSignal((signal) =>
    whileWaiting((onProgress) =>
      requestRestart({
        dir,
        backend,
        driver,
        signal,
        onProgress: (message) => onProgress({ message }),
        ...(timeout !== undefined && { timeoutMs: timeout }),
      }),
    ),
  )
  return outcome.kind === 'restarted' ? outcome.before : undefined
}

export function viewRestart(result: Restarted, colors: Colors): string {
  const { previous, server } = result
  if (previous === null) return `nothing runs in ${result.dir}, and nothing was started`
  const from = `  restarted: guardian of procref ${previous.procref} (pid ${previous.guardianPid}, epoch ${previous.epoch})`
  const to = server === null ? 'none' : `that of procref ${server.procref}`
  return `${viewStatus(result, colors)}\n${from} replaced by ${to}`
}
