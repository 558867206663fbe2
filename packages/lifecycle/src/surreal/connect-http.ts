import { type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http'
import { pipeline, type Readable } from 'node:stream'
import { isPassingTrouble, linkSignals, translateErrno } from '@procref/core'
import type { KeptLease } from '../client/kept-lease.ts'
import type { ServiceLease } from '../client/lease.ts'
import type { SharedServiceOptions } from '../client/options.ts'
import { DEFAULT_TIMEOUT_MS, leaseService } from '../client/shared-service.ts'
import { pause, timerMs } from '../delay.ts'
import { CredentialsRefusedError } from '../drivers/errors.ts'
import { ConnectTimeoutError } from '../errors.ts'
import { dialProven } from '../identity/proven-dial.ts'
import { readCredentials } from '../state/credentials.ts'
import { defaultDirectory, type Layout, layout } from '../state/layout.ts'
import { lastWords } from '../state/server-log.ts'
import { atMost } from './at-most.ts'
import { REFUSALS, REFUSED_MS } from './final-failure.ts'
import { describeWait, proveServer } from './proven-lease.ts'

/** One request. Everything that is not said is as HTTP has it. */
export interface HttpCall {
  readonly method: 'GET' | 'POST'
  /** `/export` */
  readonly path: string
  readonly headers?: OutgoingHttpHeaders
  /** A stream is sent as fast as the server takes it, and destroyed when the request fails or is answered before its end. */
  readonly body?: string | Readable
  readonly signal?: AbortSignal
}

/** A share in the SurrealDB server, and HTTP to it, without the SDK: for what is too large to be held in memory. */
export interface SurrealHttp extends AsyncDisposable {
  readonly lease: ServiceLease
  /**
   * Sends one request as the server's administrator, on a connection of its own, and resolves with the answer, whose body is not
   * read yet.
   *
   * Guarantee: password and body go only to a listener that was proven, as in `connect()`. A server that is just being replaced is waited
   * for, until the first byte was sent: nothing is ever sent twice. An answer that is cut off ends with an error when it is read.
   * Errors: `PROCREF_CONNECT_TIMEOUT`; the lease's `lost` reason; the signal's; those of the connection, as the system names them.
   * Caller: reads the answer to its end, or destroys it.
   */
  request(call: HttpCall): Promise<IncomingMessage>
  /** Gives the slot back. Caller: has read what it asked for. */
  close(): Promise<void>
}

const RETRY_MS = 100

/**
 * As `sharedService()`, with `request()`. Resolves once the server has answered: one that hangs is told as `PROCREF_CONNECT_TIMEOUT`, one
 * that does not accept the password as `PROCREF_CREDENTIALS_REFUSED`, as `connect()` does. The time-out of the options also limits how
 * long each request waits for a server that is being replaced, never how long its answer takes.
 */
export async function connectHttp(options: SharedServiceOptions): Promise<SurrealHttp> {
  const paths = layout(options.dir ?? defaultDirectory())
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
  const deadline = performance.now() + timeoutMs
  const http = new LeasedHttp(await leaseService(options), paths, timeoutMs)
  try {
    await http.answers(Math.max(0, deadline - performance.now()), options.signal)
  } catch (error) {
    await http.close()
    throw error
  }
  return http
}

class LeasedHttp implements SurrealHttp {
  readonly #lease: KeptLease
  readonly #paths: Layout
  readonly #timeoutMs: number

  constructor(lease: KeptLease, paths: Layout, timeoutMs: number) {
    this.#lease = lease
    this.#paths = paths
    this.#timeoutMs = timeoutMs
  }

  get lease(): ServiceLease {
    return this.#lease
  }

  get #url(): string {
    const { host, port } = this.#lease.record
    return `http://${host}:${port}`
  }

  close(): Promise<void> {
    return this.#lease.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async request(call: HttpCall): Promise<IncomingMessage> {
    const deadline = performance.now() + this.#timeoutMs
    // A signal of this request's own: what listens to it goes with it.
    const over = linkSignals(this.#lease.lost, call.signal ?? new AbortController().signal)
    try {
      for (;;) {
        over.signal.throwIfAborted()
        const { user, password } = readCredentials(this.#paths)
        const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
        const answer = await this.#attempt({ ...call, headers: { ...call.headers, authorization } }, over.signal)
        if (!('notSent' in answer)) {
          answer.once('close', () => over[Symbol.dispose]())
          return answer
        }
        if (isPassingTrouble(answer.notSent)) throw translateErrno(answer.notSent, 'connect to', this.#url)
        if (performance.now() > deadline) throw this.#timedOut(answer.notSent)
        await atMost(this.#lease.check(), deadline, over.signal)
        await pause(RETRY_MS, over.signal)
      }
    } catch (error) {
      over[Symbol.dispose]()
      throw error
    }
  }

  /** Resolves when the server has answered. */
  async answers(withinMs: number, signal: AbortSignal | undefined): Promise<void> {
    const late = AbortSignal.timeout(timerMs(withinMs))
    using over = linkSignals(late, signal)
    try {
      for (let refusals = 1; ; refusals++) {
        const answer = await this.request({ method: 'GET', path: '/health', signal: over.signal })
        answer.resume()
        if (answer.statusCode !== 401) return
        if (refusals === REFUSALS) throw new CredentialsRefusedError(this.#paths.database)
        await pause(REFUSED_MS, over.signal)
      }
    } catch (error) {
      throw late.aborted && error === late.reason ? this.#timedOut(late.reason as Error) : error
    }
  }

  /** Resolves with why nothing was sent, which is worth another attempt. */
  #attempt(call: HttpCall, signal: AbortSignal): Promise<IncomingMessage | { readonly notSent: Error }> {
    const { host, port } = this.#lease.record
    const { method, path, headers, body } = call
    return new Promise((resolve, reject) => {
      let isSending = false
      const asked = request({
        host,
        port,
        method,
        path,
        headers,
        signal,
        // The type knows only functions that return a socket; http.request() also takes one that is handed over later.
        createConnection: dialProven((dialled) => proveServer(this.#lease, dialled), signal) as never,
      })
      asked.once('response', resolve)
      // Stays: a connection may break after its answer was read.
      asked.on('error', (error) => {
        if (signal.aborted) reject(signal.reason)
        else if (isSending) reject(error)
        else resolve({ notSent: error })
      })
      asked.once('socket', () => {
        isSending = true
        if (body === undefined || typeof body === 'string') asked.end(body)
        // Whichever of the two breaks: of the request's end `error` tells, of the body's the reason is its own.
        else pipeline(body, asked, (error) => error && reject(error))
      })
    })
  }

  #timedOut(cause: Error): ConnectTimeoutError {
    return new ConnectTimeoutError(
      {
        dir: this.#paths.root,
        timeoutMs: this.#timeoutMs,
        waitedFor: describeWait(this.#lease, this.#url, cause),
        logTail: lastWords(this.#paths.serverLog, 20),
      },
      { cause },
    )
  }
}
