import { type OutgoingHttpHeaders, request } from 'node:http'
import { HANGS_MS, within } from '@procref/testing'
import { PASSWORD, USER } from './server.ts'

export interface HttpCall {
  readonly method?: string
  readonly path: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string | Uint8Array
}

export interface HttpResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

export const asRoot: OutgoingHttpHeaders = {
  authorization: `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`,
}

/** One request on a connection of its own, with exactly these headers (`Host` too). `hangsMs`: longer than it takes, if it ends at all. */
export async function httpCall(port: number, call: HttpCall, hangsMs: number = HANGS_MS): Promise<HttpResponse> {
  const { path, headers, body } = call
  const method = call.method ?? (body === undefined ? 'GET' : 'POST')
  const answered = new Promise<HttpResponse>((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method, agent: false, ...(headers && { headers }) })
    asked.once('error', reject)
    asked.once('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('error', reject)
      response.once('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) })
      })
    })
    asked.end(body)
  })
  return await within(`the answer to ${method} ${path}`, answered, hangsMs)
}
