import type { Endpoint, ServerEnd } from '../driver.ts'
import { ServerExitedError } from '../drivers/errors.ts'
import { httpAnswers } from './http.ts'
import { logLineSeen } from './log-line.ts'
import { tcpAccepts } from './tcp.ts'

/** When is a server ready? As JSON, so that the guardian can be told. */
export type WaitDescriptor =
  | { readonly kind: 'tcp' }
  | { readonly kind: 'http'; readonly path: string; readonly status?: number }
  | { readonly kind: 'logLine'; readonly pattern: string }

export interface WaitContext extends Endpoint {
  readonly logFile: string
  readonly ended: Promise<ServerEnd>
  readonly signal: AbortSignal
}

/** One look: is it ready now? Never waits for long; rejects only for what waiting cannot mend. */
export interface WaitStrategy {
  /** Completes "waiting for …". */
  readonly what: string
  ready(context: WaitContext): Promise<boolean>
}

const ROUND_MS = 25

/**
 * Looks again and again until the server is ready. Rejects with the signal's reason, or with `ServerExitedError` at once when
 * the server ended instead.
 */
export async function waitUntilReady(strategy: WaitStrategy, context: WaitContext): Promise<void> {
  let end: ServerEnd | undefined
  context.ended.then((value) => {
    end = value
  })
  for (;;) {
    context.signal.throwIfAborted()
    if (end !== undefined) throw new ServerExitedError(end, strategy.what)
    if (await strategy.ready(context)) return
    await new Promise((resolve) => setTimeout(resolve, ROUND_MS))
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
  }
}
