import type { Endpoint, ServerEnd } from '../driver.ts'
import { ServerExitedError, ServerNotReadyError } from '../drivers/errors.ts'
import { httpAnswers } from './http.ts'
import { logLineSeen } from './log-line.ts'
import { tcpAccepts } from './tcp.ts'

/** When is a server ready? As JSON, so that the guardian can be told. */
export type WaitDescriptor =
  /** Its port accepts connections. */
  | { readonly kind: 'tcp' }
  /** A GET is answered with `status` (default: any of 200 to 299). */
  | {
      readonly kind: 'http'
      readonly path: string
      readonly status?: number
      readonly headers?: { readonly [name: string]: string }
    }
  /** A line of its output matches this regular expression. */
  | { readonly kind: 'logLine'; readonly pattern: string }

export interface WaitContext extends Endpoint {
  readonly logFile: string
  /** The log's size when the server was launched: what stands before it was said by an earlier one. */
  readonly logStart: number
  readonly ended: Promise<ServerEnd>
  readonly signal: AbortSignal
}

/** What one look needs. */
export interface LookContext extends Omit<WaitContext, 'ended'> {
  /** How long one answer may take. Default: short, because the next look comes soon. */
  readonly answerMs?: number
}

/** One way to see that a server is ready. */
export interface WaitStrategy {
  /** Completes "waited for …". */
  readonly what: string
  /** Whether a look also tells that a server which was ready still answers. A line of its log stays there. */
  readonly tellsHealth: boolean
  /**
   * Looks once: why it is not ready yet, in a few words, or `undefined` when it is. Rejects only for what waiting cannot mend;
   * what it rejects with after `signal` was aborted is of no interest.
   */
  look(context: LookContext): Promise<string | undefined>
}

const ROUND_MS = 25
const SLOW_ROUND_MS = 250

/**
 * Looks again and again until the server is ready.
 *
 * Rejects at once with `ServerNotReadyError` (its cause is the signal's reason, its message the last thing seen) when aborted;
 * when the server ended instead, with the end's own `error` if that is a typed one, else with `ServerExitedError`.
 */
export async function waitUntilReady(strategy: WaitStrategy, context: WaitContext): Promise<void> {
  const { signal } = context
  // Ends a look that is under way, so that nothing of it is left behind.
  const over = new AbortController()
  let seen = 'nothing yet'
  const looks = async (): Promise<void> => {
    for (let pauseMs = ROUND_MS; ; pauseMs = Math.min(pauseMs * 1.2, SLOW_ROUND_MS)) {
      const missing = await strategy.look({ ...context, signal: over.signal })
      if (missing === undefined || over.signal.aborted) return
      seen = missing
      await pause(pauseMs, over.signal)
    }
  }
  const ended = context.ended.then((end): never => {
    throw isTyped(end.error) ? end.error : new ServerExitedError(end, describe(strategy, seen))
  })
  const abort = untilAborted(
    signal,
    over.signal,
    () => new ServerNotReadyError(describe(strategy, seen), { cause: signal.reason }),
  )
  try {
    await Promise.race([ended, abort, looks()])
  } finally {
    over.abort()
  }
}

export function rebuildWait(descriptor: WaitDescriptor): WaitStrategy {
  switch (descriptor.kind) {
    case 'tcp':
      return tcpAccepts()
    case 'http':
      return httpAnswers(descriptor)
    case 'logLine':
      return logLineSeen(descriptor)
    default:
      throw new TypeError(`ready: ${JSON.stringify(descriptor)} is none of the ways to wait (tcp, http, logLine)`)
  }
}

function describe(strategy: WaitStrategy, seen: string): string {
  return `${strategy.what} (seen: ${seen})`
}

/** Another copy of the package may have made it, so its code counts, not its class. */
function isTyped(error: Error | undefined): error is Error {
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'string' && code.startsWith('PROCREF_')
}

function untilAborted(signal: AbortSignal, over: AbortSignal, error: () => Error): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) return reject(error())
    // The second signal takes the listener away again: the first one may live as long as the guardian.
    signal.addEventListener('abort', () => reject(error()), { once: true, signal: over })
  })
}

function pause(ms: number, over: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      over.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    over.addEventListener('abort', done, { once: true })
  })
}
