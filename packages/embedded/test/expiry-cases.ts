import { eventually } from '@procref/testing'
import { DB, type Doorway, NS, record, said, user } from './auth-cases.ts'
import type { HttpCall } from './http-request.ts'
import { jsonWebToken } from './json-web-token.ts'
import { type Message, type RawClient, Uuid } from './raw-client.ts'
import { PASSWORD, USER } from './server.ts'
import { TextClient } from './text-client.ts'

/** Asked of one server, with what it keeps. */
type ExpiryCase = (doorway: Doorway) => Promise<unknown>

const KEY = 'a key of a user'
const S1 = new Uuid('22222222-2222-4222-8222-222222222222')

/**
 * What ends soon: `t` its token, `s` its session, `g` its grant. A session lives for five seconds, so that neither server stands still for so long that
 * it is over before what it begins with was asked. Where a session that is over is followed by one of which something is asked, that is one of `t` or
 * `l`, which lasts, or it is begun until the answer came in time.
 */
export const EXPIRY_PREPARED = `
  DEFINE USER ts_viewer ON DATABASE PASSWORD 'x' ROLES EDITOR DURATION FOR TOKEN 5s, FOR SESSION 5s;
  DEFINE USER t_viewer ON DATABASE PASSWORD 'x' ROLES EDITOR DURATION FOR TOKEN 1s, FOR SESSION 1d;
  DEFINE USER s_viewer ON DATABASE PASSWORD 'x' ROLES EDITOR DURATION FOR TOKEN 1d, FOR SESSION 5s;
  DEFINE ACCESS s_people ON DATABASE TYPE RECORD SIGNUP (CREATE brief SET name = $name) DURATION FOR TOKEN 1d, FOR SESSION 5s;
  DEFINE ACCESS l_people ON DATABASE TYPE RECORD SIGNUP (CREATE brief SET name = $name) DURATION FOR TOKEN 1d, FOR SESSION 1d;
  DEFINE ACCESS t_renewed ON DATABASE TYPE RECORD SIGNUP (CREATE brief SET name = $name) WITH REFRESH DURATION FOR GRANT 1d, FOR TOKEN 1s, FOR SESSION 5s;
  DEFINE ACCESS g_renewed ON DATABASE TYPE RECORD SIGNUP (CREATE brief SET name = $name) WITH REFRESH DURATION FOR GRANT 1s, FOR TOKEN 1d;
  DEFINE ACCESS s_jwt ON DATABASE TYPE JWT ALGORITHM HS512 KEY '${KEY}' DURATION FOR SESSION 5s;
  DEFINE TABLE brief PERMISSIONS FULL; DEFINE TABLE lived PERMISSIONS FULL;
`

/** Until a query says that the session is over. */
async function ended(client: RawClient, more: object = {}): Promise<unknown> {
  let last: Message = {}
  await eventually('the session ends', async () => {
    last = await client.call('query', ['RETURN 1'], more)
    const [first] = (last.result ?? []) as readonly { readonly status?: string }[]
    return last.error !== undefined || first?.status !== 'OK'
  })
  return said(last)
}

/** Until its `exp` has been for a second, as far as this process can tell; both servers run on its clock. */
async function tokenEnded(token: string): Promise<void> {
  const { exp } = JSON.parse(`${Buffer.from(token.split('.')[1] ?? '', 'base64url')}`) as { exp: number }
  await eventually('the token is over', async () => Date.now() > exp * 1000 + 1000)
}

/** A client whose session ended only after what it was to begin with was done, however slow this machine is. */
async function begun(
  doorway: Doorway,
  first: (client: RawClient) => Promise<Message>,
  [method, login]: readonly [method: string, login: unknown] = ['signin', user('s_viewer', 'db')],
): Promise<RawClient> {
  for (;;) {
    const [client] = await entered(doorway, method, login)
    const { error } = await first(client)
    if (error === undefined) return client
    if (error.message !== 'The session has expired') throw new Error(error.message)
    await client[Symbol.asyncDispose]()
  }
}

/** Begins a session of five seconds, again and again, until all that is asked of it was answered before it is over. */
async function anew(
  client: RawClient,
  begin: () => Promise<Message>,
  calls: Calls,
): Promise<{ readonly begin: unknown; readonly asked: unknown }> {
  for (;;) {
    const begun = said(await begin())
    const asked = await all(client, calls)
    if (!JSON.stringify(asked).includes('The session has expired')) return { begin: begun, asked }
  }
}

type Calls = readonly (readonly [method: string, params?: readonly unknown[]])[]

const DATA: Calls = [
  ['info'],
  ['query', ['RETURN 1']],
  ['query', ['RETRN 1']],
  ['query', [1]],
  ['query', ['RETURN 1; RETURN 2']],
  ['query_stream', ['RETURN 1']],
  ['select', ['brief']],
  ['create', ['lived', {}]],
  ['insert', ['lived', {}]],
  ['insert_relation', ['edge', {}]],
  ['upsert', ['lived:1', {}]],
  ['update', ['lived', {}]],
  ['merge', ['lived', {}]],
  ['patch', ['lived', []]],
  ['delete', ['lived:1']],
  ['relate', ['a:1', 'b', 'c:1']],
  ['run', ['math::abs', null, [-1]]],
  ['live', ['lived']],
  ['kill', [S1]],
]
const REST: Calls = [
  ['ping'],
  ['version'],
  ['sessions'],
  ['use', [NS, DB]],
  ['use', ['elsewhere', 'elsewhere']],
  ['use', [null, null]],
  ['set', ['a', 1]],
  ['unset', ['a']],
  ['authenticate', ['x']],
  ['signin', [user('ts_viewer', 'db', 'wrong')]],
  ['nope'],
]

async function all(client: RawClient, calls: Calls, more: object = {}): Promise<unknown> {
  const answers: Record<string, unknown> = {}
  for (const [i, [method, params = []]] of calls.entries())
    answers[`${i} ${method}`] = said(await client.call(method, params, more))
  return answers
}

async function entered(doorway: Doorway, method: string, login: unknown): Promise<readonly [RawClient, string]> {
  const client = await doorway.client()
  const given = await client.result(method, [login])
  return [client, typeof given === 'string' ? given : (given as { readonly access: string }).access]
}

const WHO = ['RETURN [$session.ns, $session.db, $session.ac, $auth != NONE, $access]']

/** What a session that is over does, and does not, and how it begins anew. */
const overAndAnew =
  (method: string, login: unknown, next: Calls): ExpiryCase =>
  async (doorway) => {
    let asked: Message = {}
    const ask = async (candidate: RawClient): Promise<Message> => {
      asked = await candidate.call('query', ['RETURN [$session.exp != NONE, $session.exp > time::now()]'])
      return asked
    }
    const client = await begun(doorway, ask, [method, login])
    const before = { '0 query': said(asked) }
    const end = await ended(client)
    return { before, end, data: await all(client, DATA), next: await all(client, next) }
  }

const http = (path: string, token: string, more: Partial<HttpCall> = {}): HttpCall => ({
  path,
  ...more,
  headers: {
    authorization: `Bearer ${token}`,
    accept: 'application/json',
    'surreal-ns': NS,
    'surreal-db': DB,
    ...more.headers,
  },
})

async function statuses(doorway: Doorway, token: string): Promise<unknown> {
  const asked: Readonly<Record<string, HttpCall>> = {
    '/sql': http('/sql', token, { body: 'RETURN 1' }),
    '/key': http('/key/lived', token),
    '/rpc': http('/rpc', token, {
      body: '{"id":1,"method":"query","params":["RETURN 1"]}',
      headers: { 'content-type': 'application/json' },
    }),
    '/rpc ping': http('/rpc', token, {
      body: '{"id":1,"method":"ping"}',
      headers: { 'content-type': 'application/json' },
    }),
    '/signin': http('/signin', token, { body: JSON.stringify(user(USER, 'root', PASSWORD)) }),
    '/health': http('/health', token),
    '/version, another one': http('/nope', token),
    '/import': http('/import', token, { body: 'OPTION IMPORT' }),
  }
  const answers: Record<string, unknown> = {}
  for (const [name, call] of Object.entries(asked)) answers[name] = await doorway.http(call)
  return answers
}

const sessionCall = (doorway: Doorway, method: string, params: readonly unknown[]): Promise<unknown> =>
  doorway.http({
    path: '/rpc',
    body: JSON.stringify({ id: 1, method, params, session: `${S1}`.replace(/^2/, '9') }),
    headers: { 'content-type': 'application/json', accept: 'application/json' },
  })

export const EXPIRY_CASES: Readonly<Record<string, ExpiryCase>> = {
  'a session is over: calls': overAndAnew('signin', user('ts_viewer', 'db'), REST),
  'a session of a record is over: calls': overAndAnew('signup', record('s_people'), REST),
  'a session is over: sign in again': overAndAnew('signin', user('s_viewer', 'db'), [
    ['signin', [user('t_viewer', 'db')]],
    ['query', WHO],
    ['query', ['RETURN $session.exp > time::now()']],
  ]),
  'a session is over: as somebody else': overAndAnew('signin', user('s_viewer', 'db'), [
    ['signin', [user(USER, 'root', PASSWORD)]],
    ['query', WHO],
    ['use', ['elsewhere', 'elsewhere']],
  ]),
  'a session is over: sign up': overAndAnew('signin', user('s_viewer', 'db'), [
    ['signup', [record('l_people')]],
    ['query', WHO],
    ['info'],
  ]),
  'a session is over: sign out': overAndAnew('signin', user('s_viewer', 'db'), [
    ['invalidate'],
    ['query', ['RETURN 1']],
    ['use', [NS, DB]],
  ]),
  'a session is over: begin anew': overAndAnew('signin', user('s_viewer', 'db'), [
    ['reset'],
    ['query', ['RETURN 1']],
    ['signin', [user('t_viewer', 'db')]],
    ['query', WHO],
  ]),
  'a session is over, its token is not': async (doorway) => {
    const [client, token] = await entered(doorway, 'signin', user('s_viewer', 'db'))
    const end = await ended(client)
    const { begin: again, asked: who } = await anew(client, () => client.call('authenticate', [token]), [
      ['query', WHO],
    ])
    return { end, again, who, http: await statuses(doorway, token) }
  },
  'a token is over, its session is not': async (doorway) => {
    const [client, token] = await entered(doorway, 'signin', user('t_viewer', 'db'))
    await tokenEnded(token)
    const still = await all(client, [
      ['query', WHO],
      ['query', ['RETURN $token.exp < time::unix()']],
      ['select', ['brief']],
      ['authenticate', [token]],
      ['query', WHO],
    ])
    const other = await doorway.client()
    const elsewhere = await all(other, [
      ['authenticate', [token]],
      ['query', ['RETURN 1']],
    ])
    return { still, elsewhere, http: await statuses(doorway, token) }
  },
  'both are over': async (doorway) => {
    const [client, token] = await entered(doorway, 'signin', user('ts_viewer', 'db'))
    const end = await ended(client)
    await tokenEnded(token)
    const again = await all(client, [
      ['authenticate', [token]],
      ['query', ['RETURN 1']],
      ['signin', [user('t_viewer', 'db')]],
      ['query', WHO],
    ])
    return { end, again, http: await statuses(doorway, token) }
  },
  'a JWT and its session are over': async (doorway) => {
    const client = await doorway.client()
    const exp = Math.floor(Date.now() / 1000) + 20
    const token = jsonWebToken({ iss: 'x', exp, NS, DB, AC: 's_jwt', RL: ['Viewer'] }, { key: KEY })
    const begun = said(await client.call('authenticate', [token]))
    const end = await ended(client)
    const again = said(await client.call('authenticate', [token]))
    await tokenEnded(token)
    return { begun, end, again, late: said(await client.call('authenticate', [token])) }
  },
  'a live query outlives its session': async (doorway) => {
    const watcher = await doorway.root()
    await watcher.result('live', ['lived'])
    const client = await begun(doorway, async (candidate) => candidate.call('live', ['lived']))
    const livesOf = async (): Promise<number> => {
      const [{ lives }] = (await watcher.query('INFO FOR TABLE lived')) as [{ lives: object }]
      return Object.keys(lives).length
    }
    const begunLives = await livesOf()
    const end = await ended(client)
    client.unasked.length = 0
    await watcher.query('CREATE lived:after')
    // Each is told in turn: when the watcher knows it, the other one has been passed over, or will be told before it is answered.
    for (let told = ''; !told.includes('after'); ) told = JSON.stringify(await watcher.next('a change'))
    const answered = said(await client.call('ping'))
    const stillLives = await livesOf()
    const signedIn = said(await client.call('signin', [user('t_viewer', 'db')]))
    return { begunLives, end, answered, told: client.unasked.length, stillLives, signedIn, lives: await livesOf() }
  },
  'a transaction outlives its session': async (doorway) => {
    let txn: unknown
    const client = await begun(doorway, async (candidate) => {
      txn = await candidate.result('begin')
      return await candidate.call('query', ['CREATE brief:in_a_transaction'], { txn })
    })
    const end = await ended(client)
    const within = said(await client.call('query', ['RETURN 1'], { txn }))
    const created = said(await client.call('create', ['brief:late', {}], { txn }))
    const committed = said(await client.call('commit', [txn]))
    const seen = await (await doorway.root()).query('SELECT * FROM brief:in_a_transaction, brief:late')
    return { end, within, created, committed, seen }
  },
  'a query outlives its session': async (doorway) => {
    let long: Promise<Message> | undefined
    const client = await begun(doorway, async (candidate) => {
      long = candidate.call('query', ['RETURN sleep(8s); RETURN 1; CREATE brief:long RETURN NONE'])
      // That of a client which was too late ends with its connection.
      long.catch(() => {})
      return await candidate.call('query', ['RETURN 1'])
    })
    const end = await ended(client)
    return { end, long: await long }
  },
  'a session beside others is over': async (doorway) => {
    const client = await doorway.root()
    await client.result('attach', [], { session: S1 })
    await client.result('signin', [user('s_viewer', 'db')], { session: S1 })
    const end = await ended(client, { session: S1 })
    const other = await all(client, [['query', WHO], ['sessions']])
    const calls = await all(client, DATA, { session: S1 })
    const again = said(await client.call('signin', [user('t_viewer', 'db')], { session: S1 }))
    return { end, other, calls, again, who: await all(client, [['query', WHO]], { session: S1 }) }
  },
  'a session over HTTP is over': async (doorway) => {
    await sessionCall(doorway, 'attach', [])
    await sessionCall(doorway, 'signin', [user('s_viewer', 'db')])
    const answers: unknown[] = []
    let last: unknown
    await eventually('the session ends', async () => {
      last = await sessionCall(doorway, 'query', ['RETURN 1'])
      return !JSON.stringify(last).includes('"OK"')
    })
    answers.push(last)
    for (const method of ['ping', 'info', 'query_stream']) answers.push(await sessionCall(doorway, method, []))
    answers.push(await sessionCall(doorway, 'signin', [user('t_viewer', 'db')]))
    answers.push(await sessionCall(doorway, 'query', WHO), await sessionCall(doorway, 'detach', []))
    return answers
  },
  'a session of a connection that was opened with a token is over': async (doorway) => {
    const [, token] = await entered(doorway, 'signin', user('s_viewer', 'db'))
    await using client = await TextClient.open(doorway.port, { headers: { authorization: `Bearer ${token}` } })
    const asked = '{"id":1,"method":"query","params":["RETURN 1"]}'
    let last = ''
    await eventually('the session ends', async () => {
      last = await client.ask(asked)
      return !last.includes('"OK"')
    })
    return [last, await client.ask('{"id":1,"method":"ping"}')].map((text) => JSON.parse(text))
  },
  'a connection on /sql is over': async (doorway) => {
    const [, token] = await entered(doorway, 'signin', user('s_viewer', 'db'))
    const headers = { authorization: `Bearer ${token}`, 'surreal-ns': NS, 'surreal-db': DB }
    await using client = await TextClient.open(doorway.port, { path: '/sql', protocols: [], headers })
    let last = ''
    await eventually('the session ends', async () => {
      last = await client.ask('RETURN 1')
      return !last.includes('"OK"')
    })
    return last
  },
  'a connection cannot be opened with a token that is over': async (doorway) => {
    const token = await doorway.token(user('ts_viewer', 'db'))
    await tokenEnded(token)
    return await TextClient.connect(doorway.port, { headers: { authorization: `Bearer ${token}` } })
  },
  'a refresh token: after the end of the others': async (doorway) => {
    const client = await doorway.client()
    const tokens = (await client.result('signup', [record('t_renewed')])) as { access: string; refresh: string }
    const end = await ended(client)
    await tokenEnded(tokens.access)
    const late = said(await client.call('authenticate', [tokens.access]))
    // Each gives the tokens for the next one.
    let last: unknown = tokens
    const { begin: renewed, asked: who } = await anew(client, async () => {
      const answer = await client.call('refresh', [last])
      last = answer.result
      return { ...answer, ...(answer.error === undefined && { result: 'renewed' }) }
    }, [['query', WHO], ['info']])
    const again = said(await client.call('refresh', [tokens]))
    return { end, late, renewed, who, again }
  },
  'a refresh token: after its own end': async (doorway) => {
    const client = await doorway.client()
    const tokens = (await client.result('signup', [record('g_renewed')])) as { access: string; refresh: string }
    await eventually('the grant is over', async () => {
      const [grants] = await (await doorway.root()).query(
        'ACCESS g_renewed ON DATABASE SHOW WHERE expiration < time::now()',
      )
      return (grants as readonly unknown[]).length > 0
    })
    const stranger = await doorway.client()
    return {
      refused: await all(stranger, [
        ['refresh', [tokens]],
        ['query', ['RETURN 1']],
      ]),
      still: await all(client, [['query', WHO]]),
    }
  },
}

/** Why these differ, and stay. */
export const EXPIRY_DIFFERENCES: Readonly<Record<string, string>> = {}
