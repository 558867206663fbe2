import { isPassingTrouble, secureDirectory, translateErrno } from '@procref/core'
import { endWith } from '../client/end-with.ts'
import type { Progress } from '../client/options.ts'
import { claimSlot, DEFAULT_TIMEOUT_MS } from '../client/shared-service.ts'
import { pause } from '../delay.ts'
import { defaultDirectory, layout } from '../state/layout.ts'
import type { ConnectOptions } from '../surreal/connect.ts'
import type { SurrealConnection } from '../surreal/connection.ts'
import { describeFailure } from '../surreal/describe-failure.ts'
import { loadSdk } from '../surreal/sdk.ts'
import { Entrance } from './entrance.ts'
import type { ExternalDriver } from './external.ts'
import { ExternalLease } from './external-lease.ts'
import { unreachable } from './unreachable.ts'

/**
 * As `ConnectOptions`, for a server elsewhere. `lingerMs`, `guardianCommand`, `guardianProgram`, `whenDifferent` and `whenOlder` say how a server of this
 * machine is started and treated, and mean nothing here. `timeoutMs` is also how long a lease may be without a connection before it is `lost`.
 */
export interface ExternalConnectOptions extends Omit<ConnectOptions, 'driver' | 'port'> {
  readonly driver: ExternalDriver
}

/** A sign-in makes a server work for a tenth of a second, and many may come at once. */
const ATTEMPT_MS = 30_000
const FIRST_PAUSE_MS = 100
const LAST_PAUSE_MS = 2_000

/**
 * A slot of this machine, and a connection to a server elsewhere: see `connect()`.
 *
 *   OK:    slots in a folder of their own, at which no guardian looks.
 *   WRONG: those of the directory's own server: it would be kept up by clients that do not use it.
 */
export async function connectExternal(options: ExternalConnectOptions): Promise<ExternalLease> {
  if ('port' in options && options.port !== undefined) {
    throw new TypeError('port: that of an external server belongs to its url')
  }
  const { backend, driver, label, allowUnsafeFilesystem } = options
  const signal = options.signal ?? new AbortController().signal
  signal.throwIfAborted()
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
  const began = performance.now()
  const paths = layout(options.dir ?? defaultDirectory())
  const endIfAbandoned = options.endWith && endWith(options.endWith, paths.root)
  secureDirectory(paths.root)
  const place = { backend, dir: paths.externalSlots, label: labelOf(label, driver), allowUnsafeFilesystem }
  const pool = await backend.open(place.dir, {
    ...(options.slots !== undefined && { slots: options.slots }),
    label: place.label,
    ...(allowUnsafeFilesystem !== undefined && { allowUnsafeFilesystem }),
  })
  try {
    const slot = await claimSlot(pool, options, { signal, deadline: began + timeoutMs })
    const entrance = new Entrance(driver, options)
    const progress = (message: string): void =>
      options.onProgress?.({ step: 'connecting', message, elapsedMs: performance.now() - began } satisfies Progress)
    const connection = await openUntil(entrance, { deadline: began + timeoutMs, timeoutMs, signal, progress })
    const lease = new ExternalLease({ root: paths.root, place, pool, slot, entrance, connection, timeoutMs })
    endIfAbandoned?.(lease)
    if (lease.lost.aborted) await lease.close()
    lease.lost.throwIfAborted()
    return lease
  } catch (error) {
    await pool.close()
    throw error
  }
}

/** Holders of these slots may use different servers: people see which. */
function labelOf(label: string | undefined, { url }: ExternalDriver): string {
  return label === undefined ? url : `${label} (${url})`
}

interface Patience {
  readonly deadline: number
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly progress: (message: string) => void
}

async function openUntil(entrance: Entrance, patience: Patience): Promise<SurrealConnection> {
  const { deadline, timeoutMs, signal, progress } = patience
  const { url } = entrance.driver
  progress(`connecting to ${url}`)
  // What fails here fails for ever.
  await loadSdk()
  let last: unknown
  for (let attempts = 0; ; attempts++) {
    const left = deadline - performance.now()
    if (left <= 0) throw unreachable(url, timeoutMs, last)
    const attempt = AbortSignal.timeout(Math.min(ATTEMPT_MS, Math.ceil(left)))
    try {
      return await entrance.open(AbortSignal.any([attempt, signal]))
    } catch (error) {
      signal.throwIfAborted()
      const verdict = await entrance.verdict(error)
      if (verdict !== undefined) throw verdict
      if (isPassingTrouble(error)) throw translateErrno(error, 'connect to', url)
      // That the time is over says less than what the attempt before came to.
      if (last === undefined || error !== attempt.reason) last = error
      progress(`waiting for a connection to ${url}: ${describeFailure(error)}`)
      const ms = Math.min(LAST_PAUSE_MS, FIRST_PAUSE_MS * 1.5 ** attempts) * (0.75 + 0.5 * Math.random())
      await pause(Math.max(1, Math.min(ms, deadline - performance.now())), signal)
    }
  }
}
