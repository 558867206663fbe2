import type { ProcessIdentity, SlotBackend } from '@procref/core'
import { ConnectTimeoutError, DEFAULT_TIMEOUT_MS, inspect, isUpState, keepServer, standstill } from '@procref/lifecycle'
import type { Colors } from '../cli/output.ts'
import { whileWaiting } from '../cli/progress.ts'
import { resolveService } from '../service.ts'
import { type ServiceOptions, toQuestion } from '../service-options.ts'
import { type Status, statusOf, viewStatus } from './status.ts'

export interface StartOptions extends ServiceOptions {
  readonly json?: boolean
}

/** Stable: fields are only added. */
export interface Started extends Status {
  /** False: it was kept up already. */
  readonly started: boolean
}

const LOOK_AGAIN_MS = 100

/**
 * Keeps the server up until `procref stop`, by a detached process with a slot. Resolves when the server is up.
 * Throws as `sharedService()`, and then keeps nothing up.
 */
export async function startServer(options: StartOptions): Promise<Started> {
  const { backend, driver, dir, label, ...service } = await resolveService(toQuestion(options, 'procref start'))
  const { timeoutMs = DEFAULT_TIMEOUT_MS } = service
  const giveUpAt = performance.now() + timeoutMs
  return await whileWaiting(async (onProgress) => {
    for (;;) {
      onProgress({ message: 'starting the server' })
      const left = Math.ceil(Math.max(1, giveUpAt - performance.now()))
      const outcome = await keepServer({ dir, backend, driver, label: label ?? '', ...service, timeoutMs: left })
      if (outcome === 'kept') return { ...statusOf(await inspect(dir, backend)), started: true }
      const status = await keptByAnother({ dir, backend, timeoutMs, giveUpAt, onProgress })
      // It has left: its server did not come up, or it was told to. Then it is ours to keep, or to say why it does not come up.
      if (status !== undefined) return { ...status, started: false }
    }
  })
}

interface Patience {
  readonly dir: string
  readonly backend: SlotBackend
  readonly timeoutMs: number
  readonly giveUpAt: number
  readonly onProgress: (progress: { readonly message: string }) => void
}

/** Resolves once the server is up that another keeper may still be starting; `undefined`: that keeper is gone. Throws `ConnectTimeoutError`. */
async function keptByAnother({ dir, backend, timeoutMs, giveUpAt, onProgress }: Patience): Promise<Status | undefined> {
  for (;;) {
    const seen = await inspect(dir, backend)
    const status = statusOf(seen)
    if (isUpState(status.state)) return status
    if (!seen.keeper.held) return undefined
    const waitedFor = `another \`procref start\`${nameOf(seen.keeper.identity)} to have the server up`
    if (performance.now() >= giveUpAt) throw new ConnectTimeoutError({ dir, timeoutMs, waitedFor, logTail: [] })
    onProgress({ message: `waiting for ${waitedFor}` })
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))
  }
}

function nameOf(keeper: ProcessIdentity | undefined): string {
  if (keeper === undefined) return ''
  const stands = standstill(keeper)
  return ` (pid ${keeper.pid}${stands === undefined ? '' : `, which ${stands}`})`
}

export function viewStart(result: Started, colors: Colors): string {
  const how = result.started ? 'kept up until `procref stop`' : 'was kept up already'
  return `${viewStatus(result, colors)}\n  ${how}`
}
