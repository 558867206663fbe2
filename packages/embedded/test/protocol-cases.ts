import { RecordId, Table } from 'surrealdb'
import { type CallSpec, calls, type ProtocolCase, plainly, signIn, useMain, withoutId } from './call-lists.ts'
import { codec, type Message, Uuid } from './raw-client.ts'
import { PASSWORD, USER } from './server.ts'

const S1 = new Uuid('22222222-2222-4222-8222-222222222222')
const S2 = new Uuid('33333333-3333-4333-8333-333333333333')
const UNKNOWN = new Uuid('44444444-4444-4444-8444-444444444444')

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

/** One live query, statements by which it is told something so many times, and its end. */
function watching(
  name: string,
  method: 'live' | 'query',
  params: readonly unknown[],
  ...steps: readonly (readonly [statements: string, told: number])[]
): ProtocolCase {
  return {
    name,
    run: async (client) => {
      await client.result(...signIn)
      await client.result(...useMain)
      await client.query('REMOVE TABLE IF EXISTS wt; DEFINE TABLE wt')
      const made = await client.result(method, params)
      const id = method === 'live' ? made : (made as readonly { readonly result: unknown }[])[0]?.result
      const told: unknown[] = []
      for (const [statements, times] of steps) {
        await client.call('query', [statements])
        const step: unknown[] = []
        for (let i = 0; i < times; i++) step.push(plainly(await client.next(`what '${statements}' changed`)))
        // Neither server keeps the order of what one query changes.
        told.push(step.sort())
      }
      const lives = async (): Promise<unknown> => plainly(await client.query('INFO FOR TABLE wt'))
      const before = await lives()
      const killed = await client.call('kill', [id])
      await client.query('CREATE wt:last')
      const end = plainly(await client.next('its end'))
      return {
        made: plainly(made),
        told,
        before,
        killed: plainly(withoutId(killed)),
        after: await lives(),
        end,
        more: client.unasked.map(plainly),
      }
    },
  }
}

/** Of those that can be called in a transaction. */
const TRANSACTION_CALLS: readonly CallSpec[] = DATA_CALLS.filter(
  ([method]) => !['info', 'live', 'run'].includes(method),
)

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
    ...TRANSACTION_CALLS.map(([method, params = []]): CallSpec => [method, params, { txn: UNKNOWN }]),
    ['run', ['math::abs', null, [-1]], { txn: UNKNOWN }],
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
  ),
  inTransaction(
    'transactions: a record that was changed outside again and again',
    'cancel',
    ['update', [new RecordId('old', 1), { b: 1 }]],
    ['update', [new RecordId('old', 1), { b: 2 }]],
    ['update', [new RecordId('old', 1), { b: 3 }]],
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
  watching(
    'live queries: of a table',
    'live',
    ['wt'],
    ['CREATE wt:1 SET a = 1; UPDATE wt:1 SET a = 2; UPSERT wt:2 SET a = 1; DELETE wt:1', 4],
    ['BEGIN; CREATE wt:3; CREATE wt:4; COMMIT', 2],
    ['BEGIN; CREATE wt:5; CANCEL', 0],
    ['INSERT INTO wt [{ id: 6 }, { id: 7 }]; UPDATE wt:8; UPDATE wt:6 MERGE { b: 1 }', 3],
    ['CREATE elsewhere:1; DELETE elsewhere', 0],
  ),
  watching(
    'live queries: what has changed',
    'live',
    ['wt', true],
    ['CREATE wt:1 SET a = 1; UPDATE wt:1 SET a = 2; DELETE wt:1', 3],
  ),
  watching('live queries: by a name that is a table', 'live', [new Table('wt')], ['CREATE wt:1', 1]),
  watching(
    'live queries: by a statement',
    'query',
    ['LIVE SELECT * FROM wt'],
    ['CREATE wt:1 SET a = 1; DELETE wt:1', 2],
  ),
  watching(
    'live queries: DIFF',
    'query',
    ['LIVE SELECT DIFF FROM wt'],
    ['CREATE wt:1 SET a = { b: [1, 2] }; UPDATE wt:1 SET a.b = [1, 3], c = 1; UPDATE wt:1 UNSET c; DELETE wt:1', 4],
  ),
  watching(
    'live queries: with a condition and expressions',
    'query',
    ['LIVE SELECT a + 1 AS b, id FROM wt WHERE a > $least', { least: 1 }],
    ['CREATE wt:1 SET a = 1; CREATE wt:2 SET a = 2; DELETE wt:2', 2],
  ),
  watching('live queries: VALUE', 'query', ['LIVE SELECT VALUE a FROM wt'], ['CREATE wt:1 SET a = 1; DELETE wt:1', 2]),
  watching(
    'live queries: FETCH',
    'query',
    ['LIVE SELECT * FROM wt FETCH other'],
    ['CREATE wo:1 SET x = 1; CREATE wt:1 SET other = wo:1; DELETE wo', 1],
  ),
  {
    name: 'live queries: ended by a statement, by a call, with their session, with their table',
    run: async (client) => {
      await client.result(...signIn)
      await client.result(...useMain)
      await client.query('REMOVE TABLE IF EXISTS wt; DEFINE TABLE wt')
      const answers: unknown[] = []
      const say = async (...[method, params, more]: CallSpec): Promise<unknown> => {
        const { result } = await client.call(method, params, more)
        answers.push(method === 'live' ? 'live' : plainly(result))
        return result
      }
      const told = async (what: string): Promise<void> => void answers.push(plainly(await client.next(what)))
      const ended = await say('live', ['wt'])
      await say('query', ['KILL $id', { id: ended }])
      await told('its end')
      await say('query', ['KILL $id', { id: ended }])
      const killed = await say('live', ['wt'])
      await say('kill', [killed])
      await told('its end')
      await say('kill', [killed])
      await say('attach', [], { session: S1 })
      await say('signin', signIn[1], { session: S1 })
      await say('use', useMain[1], { session: S1 })
      await say('live', ['wt'], { session: S1 })
      await say('query', ['CREATE wt:1'])
      await told('the change, in its session')
      await say('detach', [], { session: S1 })
      await say('query', ['CREATE wt:2'])
      await say('live', ['wt'])
      await say('query', ['CREATE wt:3'])
      await told('the change')
      await say('query', ['CREATE wt:4'])
      await told('the change before its end')
      await say('query', ['REMOVE TABLE wt; DEFINE TABLE wt; CREATE wt:5'])
      await told('its end')
      await say('reset')
      answers.push(client.unasked.map(plainly))
      return answers
    },
  },
  {
    name: 'live queries: they end when their session becomes nobody’s, or somebody else’s',
    run: async (client) => {
      await client.result(...signIn)
      await client.result(...useMain)
      await client.query(
        "DEFINE USER OVERWRITE live_other ON ROOT PASSWORD 'x' ROLES OWNER; REMOVE TABLE IF EXISTS wt; DEFINE TABLE wt",
      )
      await client.result('attach', [], { session: S1 })
      const inSession = { session: S1 }
      // Both servers tell of each transaction in a task of its own, so the mark may overtake the change that was made before it: what a
      // live query that is still there has to be told is waited for as well. What one that has ended is told would mostly come before the mark.
      await client.query('REMOVE TABLE IF EXISTS wt_mark; DEFINE TABLE wt_mark')
      const mark = `${await client.result('live', ['wt_mark'])}`
      const isMark = ({ result }: Message): boolean => `${(result as { id?: unknown } | undefined)?.id}` === mark
      const toldBefore = async (atLeast: number): Promise<number> => {
        await client.query('CREATE wt_mark')
        let told = 0
        for (let marked = false; !marked || told < atLeast; ) {
          if (isMark(await client.next(`the mark, and ${atLeast} changes`))) marked = true
          else told++
        }
        return told
      }
      const answers: unknown[] = []
      for (const change of [
        ['signin', signIn[1]],
        ['signin', [{ user: USER, pass: 'wrong' }]],
        ['signin', [{ user: 'live_other', pass: 'x' }]],
        ['use', ['main', 'main']],
        ['invalidate', []],
        ['reset', []],
      ] as const) {
        await client.result('signin', signIn[1], inSession)
        await client.result('use', useMain[1], inSession)
        await client.result('live', ['wt'], inSession)
        const [method, params] = change
        const changed = withoutId(await client.call(method, params, inSession))
        const [{ lives }] = (await client.query('CREATE wt RETURN NONE; INFO FOR TABLE wt')).slice(1) as [
          { lives: object },
        ]
        const watching = Object.keys(lives).length
        answers.push({ method, changed, lives: watching, told: await toldBefore(watching) })
        await client.result('reset', [], inSession)
      }
      return answers
    },
  },
  {
    name: 'live queries: wherever LIVE stands in a request',
    run: async (client) => {
      await client.result(...signIn)
      await client.result(...useMain)
      const answers: Record<string, unknown> = {}
      for (const [statements, made] of [
        ['LET $x = 1; LIVE SELECT * FROM wt WHERE a = $x', 1],
        ['RETURN 1; LIVE SELECT * FROM wt', 1],
        ['SELECT * FROM wt; LIVE SELECT * FROM wt; RETURN 2', 1],
        ['LIVE SELECT * FROM wt; LET $a = 2; LIVE SELECT DIFF FROM wt', 2],
        ["LET $t = type::table('wt'); LIVE SELECT * FROM $t", 1],
        ['BEGIN; LET $x = 1; LIVE SELECT * FROM wt; COMMIT', 1],
        ['USE NS main DB main; DEFINE TABLE OVERWRITE wt; LIVE SELECT * FROM wt', 1],
      ] as const) {
        await client.query('REMOVE TABLE IF EXISTS wt; DEFINE TABLE wt')
        const answer = plainly(withoutId(await client.call('query', [statements])))
        await client.query('CREATE wt:1 SET a = 1')
        const told: unknown[] = []
        while (told.length < made) {
          const next = plainly(await client.next(`what '${statements}' is told`))
          // With its table each ends, whenever that is told.
          if (!`${next}`.includes('KILLED')) told.push(next)
        }
        answers[statements] = { answer, told: told.sort() }
      }
      return answers
    },
  },
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
export const PROTOCOL_DIFFERENCES: Readonly<Record<string, string>> = {
  'transactions: who and where':
    'In a transaction the engine (3.0.2) leaves `$auth`, `$access`, `$token` and `$session` NONE, and nobody may set them. What somebody ' +
    'may do is checked all the same.',
  'transactions: a record that was changed outside again and again':
    'In a transaction the memory storage of the engine (3.0.2) does not see a record that has been changed outside more than once since.',
}
