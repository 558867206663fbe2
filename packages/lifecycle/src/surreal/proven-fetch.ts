import { type IncomingMessage, request } from 'node:http'
import { pipeline, Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { dialProven, type ProveServer } from '../identity/proven-dial.ts'

/** Answers that have no body, whatever their headers say (fetch standard, "null body status"). */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304])

/**
 * `fetch` for what the SDK does by HTTP (export and import) with the session's token, which opens the database as the password does: each on a
 * connection of its own, made as `dialProven` says. At `https:` TLS proves the server.
 *
 *   WRONG: prove, then `fetch`: the server dies before that has connected, a stranger takes the port, and is sent the token.
 */
export function provenFetch(prove: ProveServer): typeof fetch {
  return async (input, init) => {
    const asked = new Request(input, init)
    const url = new URL(asked.url)
    return url.protocol === 'http:' ? await send(url, asked, prove) : await fetch(asked)
  }
}

function send(url: URL, asked: Request, prove: ProveServer): Promise<Response> {
  const { method, headers, body, signal } = asked
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method,
      headers: Object.fromEntries(headers),
      signal,
      // The type knows only functions that return a socket; http.request() also takes one that is handed over later.
      createConnection: dialProven(prove, signal) as never,
    })
    sent.once('response', (answer) => resolve(responseOf(answer)))
    // Stays: a connection may break after its answer was read.
    sent.on('error', reject)
    if (body === null) sent.end()
    else pipeline(Readable.fromWeb(body as ReadableStream), sent, (error) => error && reject(error))
  })
}

function responseOf(answer: IncomingMessage): Response {
  const { statusCode: status = 0, statusMessage: statusText = '', headersDistinct } = answer
  const headers = new Headers()
  for (const [name, values = []] of Object.entries(headersDistinct)) {
    for (const value of values) headers.append(name, value)
  }
  if (!WITHOUT_BODY.has(status)) return new Response(Readable.toWeb(answer) as never, { status, statusText, headers })
  answer.resume()
  return new Response(null, { status, statusText, headers })
}
