import { RecordId, Table } from 'surrealdb'
import { codec, type Message, type RawClient, Uuid } from './raw-client.ts'
import { PASSWORD, USER } from './server.ts'

/** What one server answers, in a form that can be compared with another's. */
export interface ProtocolCase {
  readonly name: string
  readonly run: (client: RawClient) => Promise<unknown>
}

const S1 = new Uuid('22222222-2222-4222-8222-222222222222')
const S2 = new Uuid('33333333-3333-4333-8333-333333333333')
const UNKNOWN = new Uuid('44444444-4444-4444-8444-444444444444')

type CallSpec = readonly [method: string, params?: readonly unknown[], more?: object]

/** One case for each list of calls: made one after the other on a connection of its own, and every answer counts. */
function calls(name: string, ...list: readonly CallSpec[]): ProtocolCase {
  return {
    name,
    run: async (client) => {
      const answers: unknown[] = []
      for (const [method, params, more] of list) answers.push(withoutId(await client.call(method, params, more)))
      return answers
    },
  }
}

function withoutId({ id: _, ...rest }: Message): unknown {
  return rest
}

const signIn = ['signin', [{ user: USER, pass: PASSWORD }]] as const
const useMain = ['use', ['main', 'main']] as const

/** As many bytes as they say, sent as they are. */
function frame(name: string, ...frames: readonly (Uint8Array | string)[]): ProtocolCase {
  return {
    name,
    run: async (client) => {
      const answers: unknown[] = []
      for (const bytes of frames) {
        client.send(bytes)
        answers.push(await client.next(`an answer to the frame of '${name}'`))
      }
      // It must still be usable.
      answers.push(withoutId(await client.call('ping')))
      return answers
    },
  }
}

const cbor = (value: unknown): Uint8Array => codec.encode(value)

const DATA_CALLS: readonly CallSpec[] = [
  ['info', []],
  ['query', ['RETURN 1']],
  ['select', ['t']],
  ['create', ['t', {}]],
  ['insert', ['t', {}]],
  ['insert_relation', ['t', {}]],
  ['upsert', ['t', {}]],
  ['update', ['t']],
  ['merge', ['t', {}]],
  ['patch', ['t', []]],
  ['delete', ['t']],
  ['relate', ['a:1', 'b', 'c:1']],
  ['run', ['time::now']],
  ['live', ['t']],
  ['kill', [UNKNOWN]],
]

/** Of those that can be called in a transaction. */
const TRANSACTION_CALLS: readonly CallSpec[] = DATA_CALLS.filter(([method]) => method !== 'info' && method !== 'live')

/** The calls in a transaction, and between others what is there before, meanwhile and afterwards. */
function inTransaction(name: string, end: 'commit' | 'cancel', ...list: readonly CallSpec[]): ProtocolCase {
  return {
    name,
    run: async (client) => {
      await client.result(...signIn)
      await client.result(...useMain)
      await client.query(
        'REMOVE TABLE IF EXISTS tx; REMOVE TABLE IF EXISTS old; REMOVE TABLE IF EXISTS edge; DEFINE TABLE tx; DEFINE TABLE edge TYPE RELATION; CREATE old:1, old:2; ' +
          'DEFINE FUNCTION OVERWRITE fn::make($id: int) { RETURN CREATE ONLY old SET id = $id }',
      )
      const look = (): Promise<unknown> => client.query('SELECT * FROM tx; SELECT * FROM old; SELECT id FROM edge')
      const txn = await client.result('begin')
      const answers: unknown[] = []
      for (const [method, params] of list) answers.push(withoutId(await client.call(method, params, { txn })))
      const meanwhile = await look()
      answers.push(withoutId(await client.call(end, [txn])), withoutId(await client.call(end, [txn])))
      return { answers, meanwhile, afterwards: await look() }
    },
  }
}

export const PROTOCOL_CASES: readonly ProtocolCase[] = [
  calls('nobody signed in: data', ...DATA_CALLS),
  calls(
    'nobody signed in: data, on a session of its own',
    ['attach', [], { session: S1 }],
    ['query', ['RETURN 1'], { session: S1 }],
  ),
  calls(
    'nobody signed in: data, in a transaction',
    ['begin'],
    ['begin', [], { session: S1 }],
    ['query', ['RETURN 1'], { txn: UNKNOWN }],
  ),
  calls(
    'nobody signed in: the rest',
    ['ping'],
    ['ping', [1]],
    ['version', [1]],
    ['sessions'],
    ['invalidate'],
    ['reset'],
  ),
  calls(
    'nobody signed in: variables',
    ['set', ['a', 1]],
    ['let', ['a', 1]],
    ['unset', ['a']],
    ['set', ['auth', 1]],
    ['set', []],
    ['unset', []],
  ),
  calls('unknown methods', ['nope'], ['PING'], ['health'], ['import'], ['export'], ['graphql'], ['']),
  calls(
    'use, signed in or not',
    ['use', []],
    ['use', ['main']],
    ['use', ['main', 'main', 'main']],
    ['use', ['unmade', 'unmade']],
    ['use', [null, 'x']],
    ['use', [undefined, 'x']],
    ['use', [undefined, undefined]],
    ['use', [undefined, 'other']],
    ['use', ['main', undefined]],
    ['use', ['main', null]],
    ['use', [null, null]],
    ['use', [undefined, 'x']],
    signIn,
    ['use', [null, 'x']],
    ['use', [undefined, 'x']],
    useMain,
    ['use', [undefined, null]],
    ['use', [null, undefined]],
    ['use', [undefined, undefined]],
    ['reset'],
    ['use', [undefined, 'x']],
  ),
  calls(
    'sign-in: refused',
    ['signin', []],
    ['signin', ['x']],
    ['signin', [{}]],
    ['signin', [{ user: USER }]],
    ['signin', [{ user: USER, pass: 'wrong' }]],
    ['signin', [{ user: 'nobody', pass: PASSWORD }]],
    ['signin', [{ db: 'x', user: USER, pass: PASSWORD }]],
    ['signin', [{ db: 'x', ac: 'x', user: USER, pass: PASSWORD }]],
    ['signin', [{ ns: 'main', db: 'main', user: USER, pass: PASSWORD }]],
    ['signup', [{}]],
    ['signup', [{ db: 'x', ac: 'x' }]],
    ['authenticate', [1]],
    ['refresh', []],
    ['revoke', []],
    ['query', ['RETURN 1']],
  ),
  calls(
    'sign-in and sign-out',
    signIn,
    ['query', ['RETURN 1']],
    ['signin', [{ user: USER, pass: 'wrong' }]],
    ['query', ['RETURN 2']],
    ['invalidate'],
    ['query', ['RETURN 3']],
    signIn,
    ['query', ['RETURN 4']],
    ['reset'],
    ['query', ['RETURN 5']],
  ),
  calls(
    'sessions',
    ['attach'],
    ['detach'],
    ['attach', [], { session: S1 }],
    ['attach', [], { session: S1 }],
    ['sessions'],
    ['query', ['RETURN 1'], { session: S2 }],
    ['use', ['main', 'main'], { session: S2 }],
    ['signin', [{ user: USER, pass: PASSWORD }], { session: S1 }],
    ['use', ['main', 'main'], { session: S1 }],
    ['query', ['RETURN $session.id'], { session: S1 }],
    ['query', ['RETURN 1']],
    ['commit', [UNKNOWN], { session: S2 }],
    ['cancel', [UNKNOWN], { session: S2 }],
    ['begin', [], { session: S2 }],
    ['revoke', [], { session: S2 }],
    ['version', [], { session: S2 }],
    ['sessions', [], { session: S2 }],
    ['ping', [], { session: S2 }],
    ['attach', [], { session: '33333333-3333-4333-8333-333333333333' }],
    ['detach', [], { session: S1 }],
    ['detach', [], { session: S1 }],
    ['query', ['RETURN 1'], { session: S1 }],
    ['detach', [], { session: S2 }],
    ['sessions'],
  ),
  calls(
    'transactions: which there are',
    ['begin', [1, 2]],
    signIn,
    useMain,
    ['commit', []],
    ['cancel', ['x']],
    ['commit', [UNKNOWN]],
    ['cancel', [UNKNOWN]],
    ...TRANSACTION_CALLS.map(([method, params = []]) => [method, params, { txn: UNKNOWN }] as const),
    ['ping', [], { txn: UNKNOWN }],
    ['set', ['a', 1], { txn: UNKNOWN }],
    ['begin', [], { txn: UNKNOWN }],
  ),
  inTransaction(
    'transactions: what is written in one is seen when it is committed',
    'commit',
    ['create', ['tx:1', { a: 1 }]],
    ['query', ['CREATE tx:2; SELECT * FROM tx']],
    ['insert', ['tx', [{ id: 3 }]]],
    ['upsert', ['tx:4', { a: 4 }]],
    ['merge', ['tx:1', { b: 1 }]],
    ['delete', ['tx:2']],
    ['insert_relation', ['edge', { id: 1, in: new RecordId('tx', 1), out: new RecordId('tx', 3) }]],
    ['select', ['tx']],
    ['query', ['CREATE tx:1']],
    ['query', ['THROW "x"']],
    ['query', ['BEGIN; CREATE tx:5; COMMIT']],
    ['query', ['RETRN 1']],
  ),
  inTransaction(
    'transactions: what is written in one is never seen when it is cancelled',
    'cancel',
    ['create', ['tx:1', { a: 1 }]],
    ['query', ['CREATE tx:2; SELECT * FROM tx']],
    ['set', ['kept', 1]],
    ['query', ['RETURN $kept']],
  ),
  inTransaction(
    'transactions: update, patch, relate and run do not belong to one',
    'cancel',
    ['update', [new RecordId('old', 1), { b: 1 }]],
    ['update', [new Table('old'), { c: 1 }]],
    ['update', [new RecordId('old', 9), { b: 1 }]],
    ['update', [1]],
    ['patch', [new RecordId('old', 1), [{ op: 'replace', path: '/c', value: 2 }]]],
    ['patch', [new RecordId('old', 1), [{ op: 'replace', path: '/c', value: 3 }], true]],
    ['relate', [new RecordId('old', 1), new RecordId('edge', 7), new RecordId('old', 2), { w: 1 }]],
    ['run', ['fn::make', null, [50]]],
    ['run', ['math::abs', null, [-3]]],
    ['run', ['fn::unmade', null, []]],
    ['query', ['SELECT * FROM old']],
  ),
  inTransaction('transactions: who and where', 'cancel', [
    'query',
    ['RETURN [$auth, $access, $token.ID, $session.ns, $session.db]'],
  ]),
  {
    name: 'transactions: they end with the session that began them',
    run: async (client) => {
      const answers: unknown[] = []
      const say = async (...[method, params, more]: CallSpec): Promise<Message> => {
        const answer = await client.call(method, params, more)
        answers.push(method === 'begin' ? 'begun' : withoutId(answer))
        return answer
      }
      await say('attach', [], { session: S1 })
      const { result: ofSession } = await say('begin', [], { session: S1 })
      await say('detach', [], { session: S1 })
      await say('commit', [ofSession])
      const { result: ofConnection } = await say('begin')
      await say(...signIn)
      await say(...useMain)
      await say('attach', [], { session: S1 })
      await say('signin', signIn[1], { session: S1 })
      await say('use', useMain[1], { session: S1 })
      await say('query', ['RETURN 1'], { session: S1, txn: ofConnection })
      await say('reset')
      await say('cancel', [ofConnection])
      return answers
    },
  },
  calls(
    'data',
    signIn,
    useMain,
    ['query', ['DEFINE TABLE OVERWRITE p; DEFINE TABLE OVERWRITE knows TYPE RELATION']],
    ['create', ['p', { id: 1, name: 'a' }]],
    ['create', ['p:2', { name: 'b' }]],
    ['insert', ['p', [{ id: 3 }, { id: 4 }]]],
    ['upsert', ['p', { id: 5, name: 'e' }]],
    ['merge', ['p', { seen: true }]],
    ['patch', ['p', [{ op: 'replace', path: '/seen', value: false }]]],
    ['query', ['SELECT * FROM p ORDER BY id; SELECT VALUE name FROM $who', { who: [{ name: 'x' }] }]],
    ['select', ['p']],
    ['delete', ['p']],
    ['select', ['unmade']],
    ['run', ['math::abs', null, [-1]]],
    ['query', ['RETURN fn::unmade()']],
    ['query', ['THROW "no"; RETURN 1']],
    ['query', ['']],
    ['query', ['RETURN $a', { a: 1 }, 'more']],
    ['query', [1]],
    ['set', ['kept', 7]],
    ['query', ['RETURN $kept']],
    ['query', ['RETURN [$a, $b]', { a: 9_223_372_036_854_775_807n, b: -9_223_372_036_854_775_808n }]],
    ['query', ['RETURN /a/']],
    [
      'query',
      [
        'RETURN [NONE, NULL, 1.0, 1dec, 1h, d"2020-01-01T00:00:00Z", u"018e0000-0000-7000-8000-000000000000", a:1, 1..2, <bytes>"x", (1, 2)]',
      ],
    ],
  ),
  calls(
    'live queries',
    signIn,
    useMain,
    ['live', []],
    ['live', ['unmade']],
    ['kill', []],
    ['kill', [UNKNOWN]],
    ['kill', ['x']],
  ),
  frame('frames that are no CBOR', Uint8Array.of(0xff, 0xff), new Uint8Array(), Uint8Array.of(0xa1)),
  frame('frames that are no map', cbor([1]), cbor('x'), cbor(null)),
  frame('text instead of bytes', '{"id":1,"method":"ping"}'),
  frame(
    'requests with wrong fields',
    cbor({ id: {}, method: 'ping' }),
    cbor({ id: 'x', method: 1 }),
    cbor({ id: 'x' }),
    cbor({ id: 'x', method: 'ping', version: 3 }),
    cbor({ id: 'x', method: 'ping', session: 'zz' }),
    cbor({ id: 'x', method: 'ping', txn: 1 }),
  ),
  {
    name: 'ids of every kind come back',
    run: async (client) => {
      const answers: unknown[] = []
      for (const id of [null, 1, -1, 1.5, UNKNOWN, undefined]) {
        client.send(cbor({ id, method: 'ping', more: 'ignored', version: 2, params: 'no list' }))
        answers.push(await client.next('an answer'))
      }
      return answers
    },
  },
]

/** Why these differ, and stay. */
export const PROTOCOL_DIFFERENCES: Readonly<Record<string, string>> = {}
