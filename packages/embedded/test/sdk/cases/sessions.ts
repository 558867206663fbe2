import { RecordId, type SurrealSession, Uuid } from 'surrealdb'
import { attempt, attempts, type Cases, overWs, type Sdk } from '../sdk.ts'
import { everyCall } from './every-call.ts'
import { insertPeople, PERSON, person } from './people.ts'

const state = (session: SurrealSession): unknown => [
  session.namespace !== undefined,
  session.database !== undefined,
  typeof session.accessToken,
  session.parameters,
  session.session === undefined ? 'first' : 'of its own',
  session.isValid,
]

async function second(sdk: Sdk, how: 'newSession' | 'forkSession'): Promise<SurrealSession> {
  return await sdk.db[how]()
}

export const FIRST_SESSION: Cases = {
  'use: what it answers with': async ({ db, namespace, database }) => {
    const same = { namespace, database }
    const asked = [
      same,
      { namespace },
      { database },
      { database: null },
      same,
      { namespace: null, database: null },
      { database },
      {},
      undefined,
      same,
    ]
    return await attempts(
      ...asked.map((what) => async () => {
        const answer = await attempt(() => db.use(what as Parameters<typeof db.use>[0]))
        return [answer, db.namespace, db.database]
      }),
    )
  },
  'use: what is not there yet': async ({ db, database }) => {
    const fresh = `fresh_${database}`
    return await attempts(
      () => db.use({ namespace: fresh, database: fresh }),
      () => db.query('CREATE t:1; SELECT * FROM t'),
    )
  },
  'set and unset': async ({ db }) => [
    await db.set('a', 1),
    await db.set('b', { c: [new RecordId('t', 1), null] }),
    db.parameters,
    ...(await attempts(
      () => db.query('RETURN [$a, $b]'),
      () => db.query('RETURN $a', { a: 2 }),
      () => db.set('a', 3),
      () => db.query('RETURN $a'),
      () => db.unset('a'),
      () => db.query('RETURN $a'),
      () => db.unset('never'),
      () => db.set('auth', 1),
      () => db.set('with space', 1),
      () => db.set('', 1),
      () => db.set('none', undefined),
      () => db.query('RETURN [type::of($none), $auth]'),
    )),
    db.parameters,
  ],
  'set: another connection does not see it': async ({ db, connect }) => {
    await db.set('a', 1)
    const other = await connect()
    return await other.query('RETURN $a')
  },
  'the first session: every call': async ({ db, protocol }) => await everyCall(db, protocol),
  'the end of the first session is the end of the connection': async (sdk) => {
    const db = await sdk.connect()
    await db.closeSession()
    const disposed = await sdk.connect()
    await disposed[Symbol.asyncDispose]()
    return [db.status, disposed.status, await attempt(() => db.query('RETURN 1'))]
  },
}

export const SESSIONS: Cases = overWs(({ db }) => db.newSession(), {
  'newSession: has nothing of the first': async (sdk) => {
    await sdk.db.set('a', 1)
    const session = await second(sdk, 'newSession')
    return [
      state(session),
      ...(await attempts(
        () => session.query('RETURN $a'),
        () => session.use({ namespace: sdk.namespace, database: sdk.database }).then(() => 'used'),
        () => session.signin(sdk.root).then(() => 'signed in'),
        () => session.query('RETURN [$a, $session.db = $db]', { db: sdk.database }),
        () => sdk.db.query('RETURN $a'),
      )),
      state(session),
      state(sdk.db),
    ]
  },
  'forkSession: has what the first had then': async (sdk) => {
    await sdk.db.set('a', 1)
    const session = await second(sdk, 'forkSession')
    await sdk.db.set('a', 2)
    await session.set('b', 3)
    const again = await session.forkSession()
    return [
      state(session),
      state(again),
      await session.query('RETURN [$a, $b]'),
      await again.query('RETURN [$a, $b]'),
      await sdk.db.query('RETURN [$a, $b]'),
    ]
  },
  'sessions: lists them; closeSession ends one': async (sdk) => {
    const { db } = sdk
    const before = await attempt(() => db.sessions())
    const session = await second(sdk, 'forkSession')
    const other = await second(sdk, 'newSession')
    const listed = (await db.sessions()).map((id) => id.equals(session.session) || id.equals(other.session))
    await session.closeSession()
    const left = await db.sessions()
    return [
      before,
      listed,
      left.length,
      session.isValid,
      other.isValid,
      ...(await attempts(
        () => session.query('RETURN 1'),
        () => session.closeSession(),
        () => other.query('RETURN 1'),
      )),
    ]
  },
  'sessions: disposed at the end of a block': async (sdk) => {
    let seen: SurrealSession
    {
      await using session = await second(sdk, 'forkSession')
      seen = session
    }
    return seen.isValid
  },
  'a session: of one that is known, of one that is not': async (sdk) => {
    const session = await second(sdk, 'forkSession')
    const same = sdk.sessionOf(sdk.db, session.session)
    const unknown = sdk.sessionOf(sdk.db, new Uuid('33333333-3333-4333-8333-333333333333'))
    return [
      state(same),
      await same.query('RETURN 1'),
      await attempt(async () => unknown.isValid),
      await attempt(() => unknown.query('RETURN 1')),
      await sdk.sessionOf(session, undefined).query('RETURN 2'),
    ]
  },
  'a session: signs in, out and is reset by itself': async (sdk) => {
    const { db, root } = sdk
    const session = await second(sdk, 'forkSession')
    const heard: string[] = []
    session.subscribe('auth', (tokens) => heard.push(tokens === null ? 'nobody' : 'somebody'))
    session.subscribe('using', () => heard.push('using'))
    const token = session.accessToken ?? ''
    const answers = await attempts(
      () => session.invalidate(),
      () => session.query('RETURN 1'),
      () => db.query('RETURN 1'),
      () => session.authenticate(token).then(() => 'authenticated'),
      () => session.query('RETURN 1'),
      () => session.reset(),
      () => session.query('RETURN 1'),
      () => session.signin(root).then(() => 'signed in'),
      () => session.unset('nothing'),
      () => session.use({ namespace: sdk.namespace, database: sdk.database }).then(() => 'used'),
      () => session.signup({ namespace: sdk.namespace, database: sdk.database, access: 'unmade', variables: {} }),
    )
    return [answers, heard]
  },
  'a session: every call': async (sdk) => await everyCall(await second(sdk, 'forkSession'), sdk.protocol),
  'sessions share data, not selection': async (sdk) => {
    const session = await second(sdk, 'forkSession')
    await insertPeople(session)
    await session.use({ database: null })
    return await attempts(
      () => sdk.db.select(person(1)),
      () => session.select(PERSON),
    )
  },
})
