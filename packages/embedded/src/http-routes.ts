import type { IncomingMessage } from 'node:http'
import { type HttpContext, refusal } from './as-client.ts'
import { badRequest, empty, type HttpAnswer, methodNotAllowed, text } from './http-answer.ts'
import { api } from './http-api.ts'
import { exportDump } from './http-export.ts'
import { importDump } from './http-import.ts'
import { type KeyMethod, key } from './http-key.ts'
import { rpc } from './http-rpc.ts'
import { signWith } from './http-signin.ts'
import { sql } from './http-sql.ts'

type Handler = (context: HttpContext, request: IncomingMessage) => Promise<HttpAnswer>

interface Route {
  readonly path: RegExp
  /** Of every method that is not among `methods`. */
  readonly any?: Handler
  readonly methods: { readonly [method in KeyMethod]?: Handler }
  /** The real server has a handler of its own for OPTIONS here, and so names it among what is allowed. */
  readonly options?: true
}

/** What is answered without a look at the database. A wrong password is refused all the same. */
const always =
  (answer: (context: HttpContext) => HttpAnswer): Handler =>
  async (context, request) =>
    (await refusal(context, request.headers)) ?? answer(context)

const healthy = always(() => empty(200))
const notAnUpgrade: Handler = async () => text(400, "Connection header did not include 'upgrade'")
/** What a server says that was built without machine learning, as ours is. */
const noModels = always(() => badRequest('The request body contains invalid data'))
const APP = 'https://surrealdb.com/surrealist'

const ROUTES: readonly Route[] = [
  { path: /^\/$/, methods: { GET: always(() => ({ status: 307, headers: { location: APP } })) } },
  { path: /^\/(health|ready|status)$/, methods: { GET: healthy } },
  {
    path: /^\/version$/,
    methods: { GET: always(({ engine }) => text(200, `surrealdb-${engine.version}`)) },
  },
  // A promise of the real server, which does no more either.
  { path: /^\/sync$/, methods: { GET: always(() => text(200, 'Save')), POST: always(() => text(200, 'Load')) } },
  { path: /^\/sql$/, methods: { GET: notAnUpgrade, POST: sql }, options: true },
  { path: /^\/rpc$/, methods: { GET: notAnUpgrade, POST: rpc }, options: true },
  { path: /^\/export$/, methods: { GET: exportDump, POST: exportDump }, options: true },
  { path: /^\/import$/, methods: { POST: importDump } },
  { path: /^\/signin$/, methods: { POST: signWith('signin') }, options: true },
  { path: /^\/signup$/, methods: { POST: signWith('signup') }, options: true },
  {
    path: /^\/key\/[^/]+(\/[^/]+)?$/,
    methods: { GET: key('GET'), POST: key('POST'), PUT: key('PUT'), PATCH: key('PATCH'), DELETE: key('DELETE') },
    options: true,
  },
  { path: /^\/api\/[^/]+\/[^/]+\/.+$/, methods: {}, any: api, options: true },
  { path: /^\/ml\/import$/, methods: { POST: noModels } },
  { path: /^\/ml\/export\/[^/]+\/[^/]+$/, methods: { GET: noModels } },
]

/** Answers a request of a program of this machine as the real server does; the routes that are not there are not found. */
export async function answerHttp(context: HttpContext, request: IncomingMessage): Promise<HttpAnswer> {
  const path = pathOf(request)
  const route = ROUTES.find((candidate) => candidate.path.test(path))
  if (request.method === 'OPTIONS') return preflight(route)
  const method = request.method === 'HEAD' ? 'GET' : request.method
  const handler = Object.entries(route?.methods ?? {}).find(([name]) => name === method)?.[1] ?? route?.any
  if (handler !== undefined) return await handler(context, request)
  const answer = route === undefined ? empty(404) : methodNotAllowed(allowed(route))
  return (await refusal(context, request.headers)) ?? answer
}

export function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').replace(/\?.*$/, '')
}

/** Of every path, also of those that are not there. */
function preflight(route: Route | undefined): HttpAnswer {
  return { status: 200, headers: route === undefined || route.options ? {} : { allow: allowed(route) } }
}

function allowed({ methods, options }: Route): string {
  const names = Object.keys(methods).flatMap((name) => (name === 'GET' ? ['GET', 'HEAD'] : [name]))
  return [...(options ? ['OPTIONS'] : []), ...names].join(',')
}
