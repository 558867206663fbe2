import { ProcrefError, type SlotBackend } from '@procref/core'
import { inspect } from './inspect.ts'
import { layout } from './state/layout.ts'
import { writeRequest } from './state/request-file.ts'

/** The server is used: somebody has to leave, or the stop has to be forced. */
export class StillInUseError extends ProcrefError {
  constructor(dir: string, holders: string) {
    super(
      'PROCREF_STILL_IN_USE',
      `The server of ${dir} is in use by ${holders}. End them, or stop it all the same with --force.`,
    )
  }
}

const ROUND_MS = 100

/**
 * Asks the guardian to stop and waits until it is gone. Resolves at once when there is none. The server itself is never
 * signalled from here. Throws `StillInUseError` unless forced; rejects with the signal's reason.
 */
export async function requestStop(
  dir: string,
  backend: SlotBackend,
  options: { readonly force: boolean; readonly signal: AbortSignal; readonly describe: (holders: number) => string },
): Promise<'stopped' | 'was-stopped'> {
  const first = await inspect(dir, backend)
  if (first.guardian === 'absent' || first.record === undefined) return 'was-stopped'
  if (first.holders.length > 0 && !options.force)
    throw new StillInUseError(first.dir, options.describe(first.holders.length))
  const { nonce } = first.record
  const { requestJson } = layout(dir)
  writeRequest(requestJson, {
    kind: 'stop',
    nonce,
    force: options.force,
    by: process.pid,
    at: new Date().toISOString(),
  })
  for (;;) {
    options.signal.throwIfAborted()
    const now = await inspect(dir, backend)
    if (now.guardian === 'absent' || now.record?.nonce !== nonce) return 'stopped'
    // Somebody came between our look and the guardian's: it has refused.
    if (!options.force && now.holders.length > 0)
      throw new StillInUseError(now.dir, options.describe(now.holders.length))
    await new Promise((resolve) => setTimeout(resolve, ROUND_MS))
  }
}
