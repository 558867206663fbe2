import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline, Readable } from 'node:stream'

export interface HttpAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** Whole, or in pieces as the client reads them; an error in the middle cuts the answer off. */
  readonly body?: string | Buffer | AsyncIterable<string>
  /** Without the headers that say which server this is: the real one adds them further inside. */
  readonly unnamed?: true
}

export const JSON_TYPE = 'application/json'
export const CBOR_TYPE = 'application/cbor'
const TEXT_TYPE = 'text/plain; charset=utf-8'

export const empty = (status: number): HttpAnswer => ({ status })

export const text = (status: number, body: string): HttpAnswer => ({
  status,
  headers: { 'content-type': TEXT_TYPE },
  body,
})

export const content = (type: string, body: string | Buffer): HttpAnswer => ({
  status: 200,
  headers: { 'content-type': type },
  body,
})

export const methodNotAllowed = (allow: string): HttpAnswer => ({ status: 405, headers: { allow } })

/** The real server's form of an error. */
function failure(code: number, details: string, description: string, information?: string): HttpAnswer {
  const body = { code, details, description, ...(information !== undefined && { information }) }
  return { status: code, headers: { 'content-type': JSON_TYPE }, body: JSON.stringify(body) }
}

export const badRequest = (information: string): HttpAnswer =>
  failure(
    400,
    'Request problems detected',
    'There is a problem with your request. Refer to the documentation for further information.',
    information,
  )

export const forbidden = (information: string): HttpAnswer =>
  failure(403, 'Forbidden', 'Not allowed to do this.', information)

export const notFound = (path: string): HttpAnswer =>
  failure(
    404,
    'Not found',
    'The request was made to an endpoint which does not exist.',
    `The HTTP route '${path}' is not found`,
  )

export const apiFailure = (description: string): HttpAnswer =>
  failure(500, 'An error occurred while processing this API request', description)

export const authenticationFailed = (): HttpAnswer =>
  failure(
    401,
    'Authentication failed',
    'Your authentication details are invalid. Reauthenticate using valid authentication parameters.',
    'There was a problem with authentication',
  )

/** Of a header `Authorization`, in plain words of no stated type. */
export const refused = (why: string): HttpAnswer => ({ status: 401, body: why, unnamed: true })

export const invalidHeader = (name: string): HttpAnswer => text(400, `invalid HTTP header (${name})`)

export const unsupportedMediaType = (): HttpAnswer =>
  failure(
    415,
    'Unsupported media type',
    'The request needs to adhere to certain constraints. Refer to the documentation for supported content types.',
  )

export const bodyTooLong = (): HttpAnswer => text(413, 'length limit exceeded')

export const notReady = (): HttpAnswer => text(503, 'the database is not open yet, or not any more\n')

/** Never throws: whether the client still listens or not. `cutOff`: told why an answer could not be sent to its end. */
export function send(
  response: ServerResponse,
  answer: HttpAnswer,
  common: Readonly<Record<string, string>>,
  cutOff: (error: Error) => void,
): void {
  const { status, headers, body = '' } = answer
  const all = { ...common, ...headers }
  if (typeof body === 'string' || Buffer.isBuffer(body)) {
    response.writeHead(status, { ...all, 'content-length': Buffer.byteLength(body) }).end(body)
    return
  }
  response.writeHead(status, all)
  // One piece ahead of the client. Whoever leaves ends the pieces, too.
  pipeline(Readable.from(body, { highWaterMark: 1 }), response, (error) => {
    // A client that left early is no news.
    if (error && (error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') cutOff(error)
  })
}

/** The body, `too long`, or `undefined` when the client left before it was complete. */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer | 'too long' | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  return await new Promise((resolve) => {
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length > limit) resolve('too long')
      else chunks.push(chunk)
    })
    request.once('end', () => resolve(Buffer.concat(chunks)))
    request.once('error', () => resolve(undefined))
    request.once('close', () => resolve(undefined))
  })
}
