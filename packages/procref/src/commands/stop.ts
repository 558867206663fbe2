import { describeHolder } from '@procref/core'
import { inspect, requestStop } from '@procref/lifecycle'
import { resolveBackend } from '../backends.ts'
import { resolvePlace } from '../place.ts'
import type { ServerOptions } from './status.ts'

const TIMEOUT_MS = 60_000

export interface StopOptions extends ServerOptions {
  readonly force?: boolean
}

export interface Stopped {
  readonly dir: string
  readonly state: 'stopped'
  /** False: there was nothing to stop. */
  readonly wasRunning: boolean
}

export async function stopServer(options: StopOptions): Promise<Stopped> {
  const backend = await resolveBackend(options.backend)
  const { root } = resolvePlace(options)
  const { holders } = await inspect(root, backend)
  const result = await requestStop(root, backend, {
    force: options.force === true,
    signal: AbortSignal.timeout(TIMEOUT_MS),
    describe: (count) =>
      holders.length === count ? holders.map(describeHolder).join('; ') : `${count} processes (\`procref ps\`)`,
  })
  return { dir: root, state: 'stopped', wasRunning: result === 'stopped' }
}

export function viewStop(result: Stopped): string {
  return result.state
}
