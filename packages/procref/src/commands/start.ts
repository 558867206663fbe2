import { inspect, isUpState, keepServer } from '@procref/lifecycle'
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
  return await whileWaiting(async (onProgress) => {
    onProgress({ message: 'starting the server' })
    const outcome = await keepServer({
      dir,
      backend,
      driver,
      label: label ?? '',
      ...service,
    })
    for (;;) {
      const seen = await inspect(dir, backend)
      const status = statusOf(seen)
      // Another keeper may still be starting its server; when that fails it leaves.
      if (outcome === 'kept' || isUpState(status.state) || !seen.keeper.held) {
        return { ...status, started: outcome === 'kept' }
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))
    }
  })
}

export function viewStart(result: Started, colors: Colors): string {
  const how = result.started ? 'kept up until `procref stop`' : 'was kept up already'
  return `${viewStatus(result, colors)}\n  ${how}`
}
