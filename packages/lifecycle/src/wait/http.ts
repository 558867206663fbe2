import { type RequestOptions, request } from 'node:http'
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

/** One request: its answer, or why there is none yet. Rejects with what waiting does not mend. */
export function ask(
  server: Pick<WaitContext, 'host' | 'port' | 'signal'>,
  options: Pick<RequestOptions, 'path' | 'headers' | 'auth' | 'method' | 'timeout'>,
  body = '',
): Promise<HttpAnswer | string> {
  const { host, port, signal } = server
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => {
      if (isNotYet(error)) resolve(`${host}:${port} answers ${error.code}`)
      else reject(error)
    }
    const asked = request({ host, port, signal, agent: false, timeout: ANSWER_MS, ...options }, (response) => {
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
