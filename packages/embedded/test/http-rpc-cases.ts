import { asRoot } from './http-request.ts'
import { PASSWORD, USER } from './server.ts'

/** One POST to /rpc. */
export interface RpcPost {
  readonly body: string | Uint8Array
  readonly headers: Readonly<Record<string, string>>
}

/** Requests made one after the other, each on a connection of its own. */
export interface PostCase {
  readonly name: string
  readonly posts: readonly RpcPost[]
}

const JSON_FORM = { 'content-type': 'application/json', accept: 'application/json' }
const ROOT = { authorization: `${asRoot.authorization}` }
const NOBODY = {}
const basic = (user: string, password: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
})
const OTHER = basic('http_other', 'p')
const CLERK = { ...basic('http_clerk', 'p'), 'surreal-auth-ns': 'main', 'surreal-auth-db': 'main' }
const MAIN = { 'surreal-ns': 'main', 'surreal-db': 'main' }

const uuid = (n: number): string => `55555555-5555-4555-8555-${String(n).padStart(12, '0')}`

type Who = Readonly<Record<string, string>>

function post(who: Who, method: string, params: unknown = [], more: object = {}): RpcPost {
  return { body: JSON.stringify({ id: 1, method, params, ...more }), headers: { ...JSON_FORM, ...who } }
}

const raw = (body: string | Uint8Array, headers: Who = {}): RpcPost => ({
  body,
  headers: { ...JSON_FORM, ...ROOT, ...headers },
})

const inSession = (n: number): object => ({ session: uuid(n) })
const WHO = ['RETURN [$session.id, $session.ns, $session.db, $session.tk.ID]']
const ROOT_LOGIN = [{ user: USER, pass: PASSWORD }]

export const POST_CASES: readonly PostCase[] = [
  {
    name: '/rpc in JSON: calls',
    posts: [
      post(NOBODY, 'ping'),
      post(NOBODY, 'query', ['RETURN 1']),
      post(NOBODY, 'signin', ROOT_LOGIN),
      post(ROOT, 'query', ['RETURN [1, 1.0, 1h, a:1, NONE]']),
      post({ ...ROOT, ...MAIN }, 'query', ['RETURN $a', { a: 'b:1' }]),
      post(ROOT, 'use', ['main', 'main']),
      post(ROOT, 'use', []),
      post(ROOT, 'set', ['a', 1]),
      post({ ...ROOT, ...MAIN }, 'query', ['RETURN $a']),
      post(ROOT, 'invalidate'),
      post(ROOT, 'reset'),
      post(ROOT, 'nope'),
      post(ROOT, 'graphql'),
      raw('{"method":"ping"}'),
      raw("{ method: 'query', params: ['RETURN $a', { a: 1h }] }", MAIN),
    ],
  },
  {
    name: '/rpc in JSON: what needs a connection',
    posts: [
      post(ROOT, 'live', ['t']),
      post(ROOT, 'kill', [uuid(1)]),
      post({ ...ROOT, ...MAIN }, 'query', ['DEFINE TABLE OVERWRITE http_t; LIVE SELECT * FROM http_t']),
      post(ROOT, 'begin'),
      post(ROOT, 'commit', [uuid(1)]),
      post(ROOT, 'cancel', [uuid(1)]),
      post(ROOT, 'sessions'),
      post(ROOT, 'query_stream', ['RETURN 1']),
      post(ROOT, 'query_cancel', [1]),
      post({ ...ROOT, ...MAIN }, 'query', ['RETURN 1'], { txn: uuid(1) }),
      post({ ...ROOT, ...MAIN }, 'select', ['http_t'], { txn: uuid(1) }),
      post({ ...ROOT, ...MAIN }, 'update', ['http_t'], { txn: uuid(1) }),
      post(ROOT, 'ping', [], { txn: uuid(1) }),
    ],
  },
  {
    name: '/rpc in JSON: bodies that are no request',
    posts: ['', '{', '[1]', '"x"', '{"id":[],"method":"ping"}', '{"id":1h,"method":"ping"}', '{"id":1}'].map((body) =>
      raw(body),
    ),
  },
  { name: '/rpc in JSON: bytes', posts: [raw(Uint8Array.of(0xff)), raw(Uint8Array.of(0xa1))] },
  {
    name: '/rpc in JSON: forms',
    posts: [
      { 'content-type': 'application/json; charset=utf-8' },
      { 'content-type': 'APPLICATION/JSON' },
      { accept: '*/*' },
      { accept: 'application/json;q=0.5' },
      { accept: 'application/json, text/plain' },
      { accept: 'application/cbor' },
      { accept: 'text/plain' },
      { accept: 'x/y' },
    ].map((headers) => raw('{"id":1,"method":"ping"}', headers as Who)),
  },
  { name: '/rpc: no form', posts: [{ body: Uint8Array.of(1), headers: ROOT }] },
  {
    name: '/rpc: the id of a request',
    posts: [
      post({ ...ROOT, ...MAIN, 'surreal-id': uuid(9) }, 'query', ['RETURN $session.id']),
      post({ ...ROOT, ...MAIN, 'surreal-id': 'x' }, 'query', ['RETURN $session.id']),
    ],
  },
  {
    name: '/rpc: a session that nobody has signed in to is anybody’s',
    posts: [
      post(NOBODY, 'attach', [], inSession(1)),
      post(NOBODY, 'attach', [], inSession(1)),
      post(ROOT, 'attach', [], inSession(1)),
      post(ROOT, 'query', ['RETURN 1'], inSession(1)),
      post(NOBODY, 'query', ['RETURN 1'], inSession(1)),
      post(ROOT, 'sessions', [], inSession(1)),
      post(ROOT, 'ping', [], inSession(1)),
      post(NOBODY, 'detach', [], inSession(1)),
      post(NOBODY, 'detach', [], inSession(1)),
    ],
  },
  {
    name: '/rpc: a session that is not there',
    posts: [
      ...['query', 'ping', 'version', 'signin', 'begin', 'nope', 'sessions', 'detach', 'use', 'revoke'].map((method) =>
        post(ROOT, method, [], inSession(2)),
      ),
      post(ROOT, 'attach'),
      post(ROOT, 'detach'),
      post(ROOT, 'attach', [], { session: 'x' }),
    ],
  },
  {
    name: '/rpc: a session is for who has signed in to it',
    posts: [
      post({ ...ROOT, ...MAIN }, 'query', [
        "DEFINE USER OVERWRITE http_other ON ROOT PASSWORD 'p' ROLES OWNER; DEFINE USER OVERWRITE http_clerk ON DATABASE PASSWORD 'p' ROLES OWNER",
      ]),
      post(NOBODY, 'attach', [], inSession(3)),
      post(NOBODY, 'signin', ROOT_LOGIN, inSession(3)),
      post(NOBODY, 'query', WHO, inSession(3)),
      post(OTHER, 'query', WHO, inSession(3)),
      post(CLERK, 'query', WHO, inSession(3)),
      post(NOBODY, 'ping', [], inSession(3)),
      post(ROOT, 'use', ['main', 'main'], inSession(3)),
      post(ROOT, 'query', WHO, inSession(3)),
      post(ROOT, 'set', ['kept', 7], inSession(3)),
      post(ROOT, 'query', ['RETURN $kept'], inSession(3)),
      post(ROOT, 'query', ['LIVE SELECT * FROM http_t'], inSession(3)),
      post(ROOT, 'live', ['http_t'], inSession(3)),
      post(ROOT, 'begin', [], inSession(3)),
      post(ROOT, 'query', ['RETURN 1'], { ...inSession(3), txn: uuid(1) }),
      post(ROOT, 'signin', [{ user: 'http_other', pass: 'p' }], inSession(3)),
      post(ROOT, 'query', WHO, inSession(3)),
      post(OTHER, 'query', WHO, inSession(3)),
      post(OTHER, 'signin', [{ ns: 'main', db: 'main', user: 'http_clerk', pass: 'p' }], inSession(3)),
      post(OTHER, 'query', WHO, inSession(3)),
      post(CLERK, 'query', WHO, inSession(3)),
      post({ ...CLERK, ...MAIN }, 'query', WHO, inSession(3)),
      post(CLERK, 'invalidate', [], inSession(3)),
      post(NOBODY, 'query', WHO, inSession(3)),
      post(NOBODY, 'signin', ROOT_LOGIN, inSession(3)),
      post(NOBODY, 'detach', [], inSession(3)),
      post(ROOT, 'reset', [], inSession(3)),
      post(NOBODY, 'detach', [], inSession(3)),
    ],
  },
]

export const POST_DIFFERENCES: Readonly<Record<string, string>> = {}
