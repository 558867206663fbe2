import { type RequestOptions, request } from 'node:http'
import { dialProven, NotProvenError, type ProveServer } from '../identity/proven-dial.ts'
import { isNotYet } from './not-yet.ts'
import type { WaitContext, WaitDescriptor, WaitStrategy } from './wait.ts'

const ANSWER_MS = 1_000
/** More than anybody looks at. */
const MAX_BODY = 100_000

/** Ready when a GET on `path` answers with `status` (default: any of 200 to 299). */
export function httpAnswers(options: Omit<Extract<WaitDescriptor, { kind: 'http' }>, 'kind'>): WaitStrategy {
  const { path, status, headers = {} } = options
  if (!path.startsWith('/')) throw new TypeError(`path ${JSON.stringify(path)} does not begin with /`)
  return {
    what: `GET ${path} to answer ${status ?? '2xx'}`,
    tellsHealth: true,
    look: async (context) => {
      const answer = await ask(context, { path, headers, timeout: context.answerMs ?? ANSWER_MS })
      if (typeof answer === 'string') return answer
      const good = status === undefined ? answer.status >= 200 && answer.status < 300 : answer.status === status
      return good ? undefined : `GET ${path} answers ${answer.status}`
    },
  }
}

export interface HttpAnswer {
  readonly status: number
  readonly body: string
}

export interface AskedServer extends Pick<WaitContext, 'host' | 'port' | 'signal'> {
  /** Whoever listens is sent nothing before this has not thrown (`NotProvenError`): as `dialProven` says. Default: anybody is asked. */
  readonly prove?: ProveServer
}

/** One request, on a connection of its own: its answer, or why there is none yet. Rejects with what waiting does not mend. */
export function ask(
  server: AskedServer,
  options: Pick<RequestOptions, 'path' | 'headers' | 'auth' | 'method' | 'timeout'>,
  body = '',
): Promise<HttpAnswer | string> {
  const { host, port, signal, prove } = server
  const { timeout = ANSWER_MS } = options
  // Node takes no `createConnection` beside an agent, `false` included.
  const connection = prove ? { createConnection: dialProven(prove, signal, timeout) as never } : { agent: false }
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => {
      if (error instanceof NotProvenError) resolve(error.message)
      else if (isNotYet(error)) resolve(`${host}:${port} answers ${error.code}`)
      else reject(error)
    }
    const asked = request({ host, port, signal, ...connection, ...options, timeout }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        if (text.length < MAX_BODY) text += chunk
      })
      response.once('error', failed)
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body: text }))
    })
    asked.once('timeout', () => {
      resolve(`${host}:${port} does not answer ${options.method ?? 'GET'} ${options.path}`)
      asked.destroy()
    })
    // Stays: a connection may break after its answer was read.
    asked.on('error', failed)
    asked.end(body)
  })
}
