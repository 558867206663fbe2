import { Decimal, Duration, RecordId, Table } from 'surrealdb'
import { type CallSpec, type ProtocolCase, signIn, withoutId } from './call-lists.ts'
import { codec, type Message, Uuid } from './raw-client.ts'
import { PASSWORD, USER } from './server.ts'

const UNKNOWN = new Uuid('44444444-4444-4444-8444-444444444444')

/** One of each kind that clients send. */
const VALUES: Readonly<Record<string, unknown>> = {
  NONE: undefined,
  null: null,
  true: true,
  '1': 1,
  '-1.5': -1.5,
  'a text': 'x',
  'a text like a record': 'pt:1',
  'no text': '',
  '[]': [],
  '[1]': [1],
  '{}': {},
  '{ a: 1 }': { a: 1 },
  'a record': new RecordId('pt', 1),
  'a table': new Table('pt'),
  'a UUID': UNKNOWN,
  'a duration': new Duration('1h'),
  'a decimal': new Decimal('1.5'),
  'a datetime': new Date(0),
  bytes: new Uint8Array([1, 2]),
}

/** Right params of every method, of all its positions. */
const METHODS: Readonly<Record<string, readonly unknown[]>> = {
  ping: [],
  version: [],
  info: [],
  sessions: [],
  attach: [],
  detach: [],
  begin: [],
  commit: [UNKNOWN],
  cancel: [UNKNOWN],
  use: ['main', 'main'],
  signin: [{ user: USER, pass: PASSWORD }],
  signup: [{ ns: 'main', db: 'main', ac: 'nope' }],
  authenticate: ['x'],
  refresh: [{ access: 'x', refresh: 'y' }],
  revoke: [{ access: 'x', refresh: 'y' }],
  invalidate: [],
  reset: [],
  set: ['a', 1],
  let: ['a', 1],
  unset: ['a'],
  query: ['RETURN $a', { a: 1 }],
  select: ['pt'],
  create: ['pt', { a: 1 }],
  insert: ['pt', { a: 1 }],
  insert_relation: ['pe', { in: new RecordId('pt', 1), out: new RecordId('pt', 1) }],
  upsert: ['pt', { a: 1 }],
  update: ['pt', { a: 1 }],
  merge: ['pt', { a: 1 }],
  patch: ['pt', [{ op: 'replace', path: '/a', value: 2 }], true],
  delete: ['nothing_here'],
  relate: [new RecordId('pt', 1), 'pe', new RecordId('pt', 1), { a: 1 }],
  run: ['math::abs', null, [-1]],
  live: ['pt', true],
  kill: [UNKNOWN],
  gql: ['MATCH (n) RETURN n', {}],
  graphql: ['{ __typename }', {}],
  query_stream: [1],
  query_cancel: ['an id'],
  nope: [1],
}

/** Every number of params, then every kind of value at every position. */
function variants(method: string, right: readonly unknown[]): readonly (readonly [name: string, ...call: CallSpec])[] {
  const numbers = [...right.keys(), right.length, right.length + 1, right.length + 2]
  return [
    ...numbers.map((n) => [`${n} params`, method, [...right, 1, 1].slice(0, n)] as const),
    ...right.flatMap((_, at) =>
      Object.entries(VALUES).map(([name, value]) => [`${name} at ${at}`, method, right.with(at, value)] as const),
    ),
  ]
}

const PREPARED = 'CREATE pt:1 SET a = 1; DEFINE TABLE pe TYPE RELATION'

/** Live queries have ids of their own. */
function answerOf(message: Message): unknown {
  const { result } = message
  return withoutId(result instanceof Uuid ? { ...message, result: 'an id' } : message)
}

function wrongParams(method: string, right: readonly unknown[], who: 'somebody' | 'nobody'): ProtocolCase {
  return {
    name: `params of ${method}, ${who} signed in`,
    run: async (client) => {
      if (who === 'somebody') {
        await client.result(...signIn)
        // Of its own: what a method makes must not be what another one finds.
        await client.result('use', ['params', method])
        await client.query(PREPARED)
      }
      const answers: Record<string, unknown> = {}
      for (const [name, ...call] of variants(method, right)) answers[name] = answerOf(await client.call(...call))
      return answers
    },
  }
}

/** A request in which one field is something else. Whatever answers it, it need not have an id. */
function field(name: string, values: Readonly<Record<string, unknown>>): ProtocolCase {
  return {
    name: `the field '${name}' of a request`,
    run: async (client) => {
      const answers: Record<string, unknown> = {}
      for (const [kind, value] of Object.entries(values)) {
        client.send(codec.encode({ id: 7, method: 'ping', params: [], [name]: value }))
        answers[kind] = await client.next(`the answer to ${name} = ${kind}`)
      }
      return answers
    },
  }
}

export const PARAMS_CASES: readonly ProtocolCase[] = [
  ...Object.entries(METHODS).flatMap(([method, right]) => [
    wrongParams(method, right, 'somebody'),
    wrongParams(method, right, 'nobody'),
  ]),
  field('id', { ...VALUES, 'a large number': 9_223_372_036_854_775_807n }),
  field('method', { ...VALUES, 'another case': 'Ping' }),
  field('params', VALUES),
  field('session', {
    ...VALUES,
    'a UUID as text': `${UNKNOWN}`,
    'a UUID without hyphens': `${UNKNOWN}`.replaceAll('-', ''),
  }),
  field('txn', { ...VALUES, 'a UUID as text': `${UNKNOWN}` }),
  field('version', { ...VALUES, '2': 2, '3': 3, '1.0': 1.5 }),
  field('trace_context', { ...VALUES, 'an object of texts': { traceparent: 'x' } }),
  field('unknown', VALUES),
  field('ID', VALUES),
]

/** Why these differ, and stay. */
export const PARAMS_DIFFERENCES: Readonly<Record<string, string>> = {}
