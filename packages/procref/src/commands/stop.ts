import { endKeeper, inspect, requestStop, StillInUseError } from '@procref/lifecycle'
import { resolveBackend } from '../choose-backend.ts'
import { whileWaiting } from '../cli/progress.ts'
import { untilSignal } from '../cli/until-signal.ts'
import { resolvePlace } from '../place.ts'
import type { LookOptions } from './status.ts'

export interface StopServerOptions extends LookOptions {
  readonly force?: boolean
  /** ms */
  readonly timeout?: number
}

/** Stable: fields are only added. */
export interface Stopped {
  readonly dir: string
  readonly state: 'stopped'
  /** False: there was nothing to stop. */
  readonly wasRunning: boolean
}

/**
 * Ends the keeper, then asks the guardian to stop the server, and waits until it has.
 * Throws `StillInUseError`, and then nothing was ended, `StopTimeoutError`, `KeeperUnreachableError`.
 */
export async function stopServer(options: StopServerOptions): Promise<Stopped> {
  const { root, slots } = resolvePlace(options.dir)
  const backend = await resolveBackend(options.backend, slots)
  const { holders, keeper } = await inspect(root, backend)
  // By the pid that the holder wrote: good enough to refuse early. Whether nobody is left is what the guardian proves.
  const others = holders.filter(({ pid }) => pid === undefined || pid !== keeper.identity?.pid)
  if (others.length > 0 && options.force !== true) throw new StillInUseError(root, others)
  await endKeeper(root, backend)
  // Whoever gives up waiting takes back what was asked, unless the guardian has begun.
  const outcome = await untilSignal((signal) =>
    whileWaiting((onProgress) =>
      requestStop(root, backend, {
        when: options.force === true ? 'always' : 'unused',
        signal,
        onProgress: (message) => onProgress({ message }),
        ...(options.timeout !== undefined && { timeoutMs: options.timeout }),
      }),
    ),
  )
  return { dir: root, state: 'stopped', wasRunning: outcome === 'stopped' }
}

export function viewStop(result: Stopped): string {
  return result.state
}
