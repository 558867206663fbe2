import { describeHolder, ProcrefError, type SlotBackend, type SlotInfo } from '@procref/core'
import { pause } from './delay.ts'
import { StopTimeoutError } from './errors.ts'
import { standstill } from './identity/standstill.ts'
import { inspect } from './inspect.ts'
import { layout } from './state/layout.ts'
import { type StopRequest, withdrawRequest, writeRequest } from './state/request-file.ts'
import { isUpState } from './state/server-record.ts'

/** The server is used: somebody has to leave, or the stop has to be forced. */
export class StillInUseError extends ProcrefError {
  static readonly code = 'PROCREF_STILL_IN_USE'
  readonly dir: string
  readonly holders: readonly SlotInfo[]
  constructor(dir: string, holders: readonly SlotInfo[], remedy = 'End them, or stop it all the same with --force.') {
    super(
      StillInUseError.code,
      `The server of ${dir} is in use by ${holders.map(describeHolder).join('; ')}. ${remedy}`,
    )
    this.dir = dir
    this.holders = holders
  }
}

/** A guardian sees a request at once, or at its beat of 5 s. */
const ROUND_MS = 50
/** A start that is under way is finished first (120 s), then the server is stopped in its phases. */
const DEFAULT_TIMEOUT_MS = 180_000

export interface StopOptions {
  /** `always`: stop under whoever holds a slot; their leases are lost. */
  readonly when: 'unused' | 'always'
  readonly signal?: AbortSignal
  /** Default 180,000. */
  readonly timeoutMs?: number
  /** Told, at each look, what is being waited for. */
  readonly onProgress?: (message: string) => void
}

/**
 * Asks the guardian to stop and waits until it is gone. Resolves at once when there is none. The server itself is never
 * signalled from here.
 *
 * Guarantee: after `stopped` the guardian that was asked is gone, and its server with it. No request of ours is left, but after
 * `StopTimeoutError`: then the guardian still stops when it can.
 * Unspecified: whether somebody has started the next one by then.
 * Throws `StillInUseError` (with `unused`; everything is as it was then), `StopTimeoutError`, and the signal's reason.
 */
export async function requestStop(
  dir: string,
  backend: SlotBackend,
  options: StopOptions,
): Promise<'stopped' | 'was-stopped'> {
  const first = await inspect(dir, backend)
  if (first.guardian === 'absent' || first.record === undefined) return 'was-stopped'
  if (first.holders.length > 0 && options.when === 'unused') throw new StillInUseError(first.dir, first.holders)
  const { requestJson } = layout(dir)
  const request: StopRequest = {
    kind: 'stop',
    nonce: first.record.nonce,
    force: options.when === 'always',
    by: process.pid,
    at: new Date().toISOString(),
  }
  writeRequest(requestJson, request)
  try {
    await untilGone(dir, backend, request, options)
  } catch (error) {
    // After a time-out it stays asked: the guardian stops as soon as it can.
    if (!(error instanceof StopTimeoutError)) withdrawRequest(requestJson, request)
    throw error
  }
  // It may have left without reading it: killed, or just leaving by itself.
  withdrawRequest(requestJson, request)
  return 'stopped'
}

async function untilGone(
  dir: string,
  backend: SlotBackend,
  { nonce }: StopRequest,
  options: StopOptions,
): Promise<void> {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
  const giveUpAt = performance.now() + timeoutMs
  for (;;) {
    const { dir: root, state, guardian, record, holders } = await inspect(dir, backend)
    if (guardian === 'absent' || record === undefined || record.nonce !== nonce) return
    // Somebody came between our look and the guardian's. Once it is `stopping` that changes nothing.
    if (options.when === 'unused' && holders.length > 0 && isUpState(state)) throw new StillInUseError(root, holders)
    const guardianPid = record.guardian.pid
    if (performance.now() > giveUpAt) {
      const stands = standstill(record.guardian)
      throw new StopTimeoutError({ dir: root, guardianPid, state, timeoutMs, ...(stands && { standstill: stands }) })
    }
    options.onProgress?.(`waiting for the guardian (pid ${guardianPid}) to stop the server, which is ${state}`)
    await pause(ROUND_MS, options.signal)
  }
}
