import { asRoot, type HttpCall } from './http-request.ts'
import { codec } from './raw-client.ts'

const JSON_OUT = { accept: 'application/json' }
const CBOR = { 'content-type': 'application/cbor', accept: 'application/cbor' }
const MAIN = { 'surreal-ns': 'main', 'surreal-db': 'main' }
const WRONG = { authorization: `Basic ${Buffer.from('root:wrong').toString('base64')}` }

const sql = (body: string, headers: object = {}): HttpCall => ({
  path: '/sql',
  body,
  headers: { ...asRoot, ...headers },
})

const rpc = (value: unknown, headers: object = {}): HttpCall => ({
  path: '/rpc',
  body: codec.encode(value),
  headers: { ...asRoot, ...CBOR, ...headers },
})

/** Requests that both servers have to answer alike. */
export const HTTP_CASES: Readonly<Record<string, HttpCall>> = {
  'GET /health': { path: '/health' },
  'HEAD /health': { path: '/health', method: 'HEAD' },
  'GET /ready': { path: '/ready' },
  'GET /status': { path: '/status' },
  'GET /version': { path: '/version' },
  'an unknown path': { path: '/nope' },
  'the wrong method': { path: '/sql', method: 'PUT', headers: asRoot },
  'GET /sql without an upgrade': { path: '/sql' },
  'GET /rpc without an upgrade': { path: '/rpc' },
  '/sql: nobody signed in': { path: '/sql', body: 'RETURN 1' },
  '/sql: another scheme': { path: '/sql', body: 'RETURN 1', headers: { authorization: 'Digest x' } },
  '/sql: a value': sql('RETURN 1'),
  '/sql: JSON': sql('RETURN [1.0, -0.0, 1dec, 1h30m, NONE, NULL, true, "ü\\n", 9223372036854775807]', JSON_OUT),
  '/sql: record ids as JSON': sql(
    'RETURN [a:1, a:⟨x y⟩, a:[1, "b", { c: 2 }], a:u"018e0000-0000-7000-8000-000000000000", ⟨a b⟩:⟨12⟩, a:1..5]',
  ),
  '/sql: other types as JSON': sql(
    'RETURN [d"2020-01-01T00:00:00.120Z", u"018e0000-0000-7000-8000-000000000000", 1..3, <bytes>"ab", type::table("x"), <set>[2, 1], {}]',
  ),
  '/sql: geometries as JSON': sql(
    'RETURN [(1, 2.5), { type: "LineString", coordinates: [[1, 2], [3, 4]] }, { type: "GeometryCollection", geometries: [(1, 2)] }]',
  ),
  '/sql: CBOR': sql('RETURN [1, a:1, NONE]', { accept: 'application/cbor' }),
  '/sql: text': sql('RETURN 1', { accept: 'text/plain' }),
  '/sql: an unknown form': sql('RETURN 1', { accept: 'application/xml' }),
  '/sql: not SurrealQL': sql('RETRN 1'),
  '/sql: an error of one statement': sql('THROW "x"; RETURN 2'),
  '/sql: variables': { ...sql('RETURN [$a, $b]'), path: '/sql?a=1&b=x%20y' },
  '/sql: a database': sql('RETURN [$session.ns, $session.db]; INFO FOR TABLE t', MAIN),
  '/sql: a database without its namespace': sql('INFO FOR DB', { 'surreal-db': 'main' }),
  '/sql: a live query': sql('DEFINE TABLE OVERWRITE t; LIVE SELECT * FROM t', MAIN),
  '/sql: not UTF-8': { path: '/sql', body: Uint8Array.of(0xff), headers: asRoot },
  '/sql: too long': sql(' '.repeat(1024 * 1024 + 1)),
  '/rpc: nobody signed in': { ...rpc({ id: 1, method: 'query', params: ['RETURN 1'] }), headers: CBOR },
  '/rpc: ping': { ...rpc({ id: 1, method: 'ping' }), headers: CBOR },
  '/rpc: a query': rpc({ id: 'x', method: 'query', params: ['RETURN $a', { a: 1 }] }),
  '/rpc: in a database': rpc({ id: 1, method: 'create', params: ['http_row', { a: 1 }] }, MAIN),
  '/rpc: the default database': rpc({ id: 1, method: 'use', params: [undefined, undefined] }),
  '/rpc: a live query': rpc(
    { id: 1, method: 'query', params: ['DEFINE TABLE OVERWRITE t; LIVE SELECT * FROM t'] },
    MAIN,
  ),
  '/rpc: live': rpc({ id: 1, method: 'live', params: ['t'] }, MAIN),
  '/rpc: begin': rpc({ id: 1, method: 'begin' }),
  '/rpc: commit': rpc({ id: 1, method: 'commit', params: [] }),
  '/rpc: sessions': rpc({ id: 1, method: 'sessions' }),
  '/rpc: an unknown method': rpc({ id: 1, method: 'nope' }),
  '/rpc: no request': rpc([1]),
  '/rpc: a wrong request': rpc({ id: {}, method: 'ping' }),
  '/rpc: no CBOR': { path: '/rpc', body: Uint8Array.of(0xff), headers: { ...asRoot, ...CBOR } },
  '/rpc: text': rpc({ id: 1, method: 'ping' }, { 'content-type': 'text/plain' }),
  '/rpc: an unknown form': rpc({ id: 1, method: 'ping' }, { 'content-type': 'x/y' }),
  '/rpc: another form back': rpc({ id: 1, method: 'ping' }, { accept: 'application/json' }),
  '/rpc: too long': { path: '/rpc', body: Buffer.alloc(4 * 1024 * 1024 + 1), headers: { ...asRoot, ...CBOR } },
  '/sql: a wrong password': { path: '/sql', body: 'RETURN 1', headers: WRONG },
  '/health: a wrong password': { path: '/health', headers: WRONG },
  'an unknown path: a wrong password': { path: '/nope', headers: WRONG },
  '/version: a wrong password': { path: '/version', headers: WRONG },
  '/rpc: a wrong password': rpc({ id: 1, method: 'ping' }, WRONG),
  '/sql: a wrong token': { path: '/sql', body: 'RETURN 1', headers: { authorization: 'Bearer x.y.z' } },
  '/sql: a user of no namespace': sql('RETURN 1', { 'surreal-auth-db': 'main' }),
  '/sql: a user of another database': sql('RETURN 1', { 'surreal-auth-ns': 'main', 'surreal-auth-db': 'main' }),
}

const OTHER_WORDS = 'Refused by both, with the same status; the older engine words it differently.'

/** Why these differ, and stay. */
export const HTTP_DIFFERENCES: Readonly<Record<string, string>> = {
  '/sql: a wrong password': OTHER_WORDS,
  '/health: a wrong password': OTHER_WORDS,
  'an unknown path: a wrong password': OTHER_WORDS,
  '/version: a wrong password': OTHER_WORDS,
  '/rpc: a wrong password': OTHER_WORDS,
  '/sql: a wrong token': OTHER_WORDS,
  '/sql: a user of no namespace': OTHER_WORDS,
  '/sql: a user of another database': OTHER_WORDS,
}
