import { eventually } from '@procref/testing'
import { RecordId, type Surreal, type Tokens } from 'surrealdb'
import { attempt, attempts, type Cases, type Sdk } from '../sdk.ts'

const PASSWORD = 'p4ss'

/** Users of every level, and ways for records to sign in, with and without refresh tokens. Names are the case's own. */
async function defineUsers({ db, namespace, database }: Sdk): Promise<{ readonly user: string }> {
  const user = `user_${database}`
  await db.query(`
    DEFINE USER OVERWRITE ${user} ON ROOT PASSWORD '${PASSWORD}' ROLES VIEWER;
    DEFINE USER OVERWRITE ${user} ON NAMESPACE PASSWORD '${PASSWORD}' ROLES EDITOR;
    DEFINE USER OVERWRITE ${user} ON DATABASE PASSWORD '${PASSWORD}' ROLES EDITOR;
    DEFINE TABLE account PERMISSIONS FOR select, update WHERE id = $auth FOR create, delete NONE;
    DEFINE TABLE secret PERMISSIONS NONE;
    CREATE secret:1;
    DEFINE ACCESS account ON DATABASE TYPE RECORD
      SIGNUP (CREATE account SET name = $name, pass = crypto::sha256($pass))
      SIGNIN (SELECT * FROM account WHERE name = $name AND pass = crypto::sha256($pass));
    DEFINE ACCESS lasting ON DATABASE TYPE RECORD
      SIGNUP (CREATE account SET name = $name)
      SIGNIN (SELECT * FROM account WHERE name = $name)
      WITH REFRESH;
    DEFINE ACCESS bearer ON DATABASE TYPE BEARER FOR USER;
    DEFINE ACCESS bearer_${database} ON NAMESPACE TYPE BEARER FOR USER;
    DEFINE ACCESS bearer_record ON DATABASE TYPE BEARER FOR RECORD;
    USE NS ${namespace} DB ${database}`)
  return { user }
}

/** Says who a session is, without what is made for the occasion. */
async function whoIs(db: Surreal): Promise<unknown> {
  return await attempt(() =>
    db.query(
      'RETURN [$auth, $access, $token.ID, $token.AC, $token.NS = $session.ns, $session.rd, $token.iss, type::of($token.exp)]',
    ),
  )
}

const kinds = (tokens: unknown): unknown =>
  tokens instanceof Error ? tokens : Object.entries(tokens as Tokens).map(([name, token]) => [name, typeof token])

/** Signs a new connection in with each, and says who it is then and what it may. */
async function signIns(sdk: Sdk, ways: readonly Parameters<Surreal['signin']>[0][]): Promise<unknown> {
  return await attempts(
    ...ways.map((way) => async () => {
      const { driver, url, namespace, database } = sdk
      const db = driver()
      await db.connect(url, { namespace, database })
      const tokens = await attempt(() => db.signin(way))
      return [
        kinds(tokens),
        await whoIs(db),
        ...(await attempts(
          () => db.query('SELECT * FROM secret'),
          () => db.query('CREATE free SET a = 1 RETURN VALUE a'),
          () => db.query('INFO FOR DB').then(() => 'told'),
          () => db.query('INFO FOR NS').then(() => 'told'),
          () => db.query('INFO FOR ROOT').then(() => 'told'),
        )),
      ]
    }),
  )
}

async function account(sdk: Sdk, access: 'account' | 'lasting' = 'account'): Promise<{ db: Surreal; tokens: Tokens }> {
  const { driver, url, namespace, database } = sdk
  const db = driver()
  await db.connect(url, { namespace, database })
  return { db, tokens: await db.signup({ namespace, database, access, variables: { name: 'ada', pass: 'x' } }) }
}

export const AUTHENTICATION: Cases = {
  'signin: system users of every level': async (sdk) => {
    const { namespace, database } = sdk
    const { user } = await defineUsers(sdk)
    const login = { username: user, password: PASSWORD }
    return await signIns(sdk, [login, { namespace, ...login }, { namespace, database, ...login }])
  },
  'signin: refused': async (sdk) => {
    const { namespace, database } = sdk
    const { user } = await defineUsers(sdk)
    const wrong = { username: user, password: 'wrong' }
    const ways: readonly Parameters<Surreal['signin']>[0][] = [
      wrong,
      { namespace, ...wrong },
      { namespace, database, ...wrong },
      { username: 'nobody', password: PASSWORD },
      { namespace: 'unmade', username: user, password: PASSWORD },
      { namespace, database: 'unmade', username: user, password: PASSWORD },
      { username: '', password: '' },
      { namespace, database, access: 'unmade', variables: { name: 'x' } },
      { namespace, database, access: 'account', variables: { name: 'nobody', pass: 'x' } },
      { namespace, database, access: 'account', variables: {} },
      { namespace, database, access: 'bearer', key: 'surreal-bearer-0000000000-000000000000000000000000' },
      { namespace, database, access: 'bearer', key: 'no key' },
      { namespace, database, access: 'account', username: user, password: PASSWORD },
    ]
    const db = sdk.driver()
    await db.connect(sdk.url, { namespace, database })
    return await attempts(...ways.map((way) => () => db.signin(way)), () => db.query('RETURN 1'))
  },
  'signin: a failed one leaves who was signed in': async (sdk) => {
    const db = await sdk.connect()
    const failed = await attempt(() => db.signin({ username: 'nobody', password: 'x' }))
    return [failed, await attempt(() => db.query('RETURN 1'))]
  },
  'signup and signin: a record, and its permissions': async (sdk) => {
    await defineUsers(sdk)
    const { db, tokens } = await account(sdk)
    const { namespace, database } = sdk
    return [
      kinds(tokens),
      await whoIs(db),
      ...(await attempts(
        () => db.query('SELECT name FROM account'),
        () => db.query('CREATE account SET name = "eve"'),
        () => db.query('UPDATE account SET name = "Ada" RETURN VALUE name'),
        () => db.query('SELECT * FROM secret'),
        () => db.query('DEFINE TABLE x'),
        () => db.query('INFO FOR DB'),
        () => db.export(),
        () => db.import('CREATE x:1'),
      )),
      kinds(
        await attempt(() =>
          db.signin({ namespace, database, access: 'account', variables: { name: 'Ada', pass: 'x' } }),
        ),
      ),
      kinds(await attempt(() => db.signup({ access: 'account', variables: { name: 'bob', pass: 'y' } }))),
    ]
  },
  'signup: refused': async (sdk) => {
    await defineUsers(sdk)
    const { driver, url, namespace, database } = sdk
    const db = driver()
    await db.connect(url)
    await sdk.db.query(
      "DEFINE ACCESS closed ON DATABASE TYPE RECORD SIGNIN (SELECT * FROM account); DEFINE ACCESS fails ON DATABASE TYPE RECORD SIGNUP (THROW 'no')",
    )
    return await attempts(
      () => db.signup({ access: 'account', variables: { name: 'a' } }),
      () => db.signup({ namespace, database, access: 'unmade', variables: {} }),
      () => db.signup({ namespace, database, access: 'closed', variables: {} }),
      () => db.signup({ namespace, database, access: 'fails', variables: {} }),
      () => db.signup({ namespace, database, access: 'bearer', variables: {} }),
      () => db.signup({ namespace: 'unmade', database, access: 'account', variables: {} }),
    )
  },
  'auth: of a record, of a root user, of nobody': async (sdk) => {
    await defineUsers(sdk)
    const { db } = await account(sdk)
    const nobody = sdk.driver()
    await nobody.connect(sdk.url)
    const name = async (call: () => PromiseLike<unknown>): Promise<unknown> => {
      const answer = await attempt(call)
      return answer instanceof Error || answer === undefined ? answer : (answer as { name: string }).name
    }
    const streamed: unknown[] = []
    for await (const frame of sdk.db.auth().stream()) streamed.push(frame)
    return [
      await name(() => db.auth()),
      await name(() => db.auth().json()),
      await attempt(() => sdk.db.auth()),
      await attempt(() => nobody.auth()),
      sdk.db.auth().compile().query,
      streamed,
    ]
  },
  'authenticate: tokens of a record, of root; wrong ones; of another database': async (sdk) => {
    await defineUsers(sdk)
    const { tokens } = await account(sdk)
    const { driver, url, namespace, database, db } = sdk
    const changed = `${tokens.access.slice(0, -4)}AAAA`
    const unsigned = `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${tokens.access.split('.')[1]}.`
    return await attempts(
      ...[tokens.access, tokens, db.accessToken ?? '', changed, unsigned, '', 'x.y.z'].map((token) => async () => {
        const other = driver()
        await other.connect(url, { namespace, database })
        const answer = kinds(await attempt(() => other.authenticate(token)))
        return [answer, typeof other.accessToken, await attempt(() => other.query('RETURN $access'))]
      }),
    )
  },
  'authenticate: with a refresh token, which is then spent': async (sdk) => {
    await defineUsers(sdk)
    const { db, tokens } = await account(sdk, 'lasting')
    const renewed = await attempt(() => db.authenticate(tokens))
    const changed = !(renewed instanceof Error) && (renewed as Tokens).refresh !== tokens.refresh
    return [
      kinds(tokens),
      kinds(renewed),
      changed,
      await attempt(() => db.query('RETURN $access')),
      kinds(await attempt(() => db.authenticate(tokens))),
      await attempt(() => db.query('RETURN $access')),
    ]
  },
  'signin: bearer keys of a user and of a record': async (sdk) => {
    const { user } = await defineUsers(sdk)
    const { db, driver, url, namespace, database } = sdk
    await db.create(new RecordId('account', 'bot')).content({ name: 'bot' })
    const keyOf = async (grant: string): Promise<string> => {
      const [made] = await db.query<[{ grant: { key: string } }]>(grant)
      return made.grant.key
    }
    const keys = [
      { database, access: 'bearer', key: await keyOf(`ACCESS bearer GRANT FOR USER ${user}`) },
      {
        access: `bearer_${database}`,
        key: await keyOf(`ACCESS bearer_${database} ON NAMESPACE GRANT FOR USER ${user}`),
      },
      { database, access: 'bearer_record', key: await keyOf('ACCESS bearer_record GRANT FOR RECORD account:bot') },
    ]
    const signedIn = await attempts(
      ...keys.map((way) => async () => {
        const other = driver()
        await other.connect(url, { namespace, database })
        return [kinds(await attempt(() => other.signin({ namespace, ...way }))), await whoIs(other)]
      }),
    )
    await db.query('ACCESS bearer REVOKE ALL')
    const revoked = driver()
    await revoked.connect(url, { namespace, database })
    return [signedIn, await attempt(() => revoked.signin({ namespace, ...(keys[0] ?? { access: '', key: '' }) }))]
  },
  'invalidate: nobody is signed in then': async (sdk) => {
    const db = await sdk.connect()
    await db.set('kept', 1)
    const token = db.accessToken ?? ''
    await db.invalidate()
    return [
      db.accessToken,
      ...(
        await attempts(
          () => db.query('RETURN $kept'),
          () => db.select(new RecordId('t', 1)),
          () => db.version(),
          () => db.invalidate(),
          () => db.authenticate(token),
          () => db.query('RETURN $kept'),
        )
      ).map((answer) => (answer instanceof Error || Array.isArray(answer) ? answer : typeof answer)),
    ]
  },
  'reset: everything of the session is gone': async (sdk) => {
    const db = await sdk.connect()
    await db.set('kept', 1)
    await db.reset()
    return [db.namespace, db.database, db.accessToken, db.parameters, await attempt(() => db.query('RETURN $kept'))]
  },
  'a token that has expired is refused': async (sdk) => {
    const { user } = await defineUsers(sdk)
    const { db, driver, url, namespace, database } = sdk
    await db.query(
      `DEFINE USER OVERWRITE ${user} ON DATABASE PASSWORD '${PASSWORD}' ROLES EDITOR DURATION FOR TOKEN 1s, FOR SESSION 2s`,
    )
    const short = driver()
    await short.connect(url, { namespace, database, invalidateOnExpiry: true })
    const seen: unknown[] = []
    short.subscribe('auth', (tokens) => seen.push(tokens === null ? 'nobody' : 'somebody'))
    const { access } = await short.signin({ namespace, database, username: user, password: PASSWORD })
    await eventually('the SDK has signed itself out', async () => seen.includes('nobody'))
    const early = driver()
    await early.connect(url, { namespace, database })
    await eventually(
      'the token has expired',
      async () => (await attempt(() => early.authenticate(access))) instanceof Error,
    )
    // Another one: who was let in before the end stays who he is when the token is refused.
    const late = driver()
    await late.connect(url, { namespace, database })
    return [seen, await attempt(() => late.authenticate(access)), await attempt(() => late.query('RETURN 1'))]
  },
  'a session that has expired may do nothing': async (sdk) => {
    if (sdk.protocol === 'http') return 'no session'
    const { user } = await defineUsers(sdk)
    const { db, driver, url, namespace, database } = sdk
    await db.query(
      `DEFINE USER OVERWRITE ${user} ON DATABASE PASSWORD '${PASSWORD}' ROLES EDITOR DURATION FOR SESSION 1s`,
    )
    const short = driver()
    await short.connect(url, { namespace, database })
    await short.signin({ namespace, database, username: user, password: PASSWORD })
    await eventually(
      'the session has expired',
      async () => (await attempt(() => short.query('RETURN 1'))) instanceof Error,
    )
    return await attempts(
      () => short.query('RETURN 1'),
      () => short.select(new RecordId('t', 1)),
      () => short.version(),
    )
  },
  'authentication: is asked again before the token expires': async (sdk) => {
    const { user } = await defineUsers(sdk)
    const { db, driver, url, namespace, database } = sdk
    await db.query(
      `DEFINE USER OVERWRITE ${user} ON DATABASE PASSWORD '${PASSWORD}' ROLES EDITOR DURATION FOR TOKEN 2s`,
    )
    const other = driver()
    let asked = 0
    await other.connect(url, {
      namespace,
      database,
      expiryMargin: 1,
      authentication: () => {
        asked++
        return { namespace, database, username: user, password: PASSWORD }
      },
    })
    await eventually('it was asked again', async () => asked > 1)
    return other.status
  },
  'events: auth': async (sdk) => {
    await defineUsers(sdk)
    const db = await sdk.connect()
    const seen: unknown[] = []
    db.subscribe('auth', (tokens) => seen.push(tokens === null ? 'nobody' : kinds(tokens)))
    const { namespace, database } = sdk
    await db.signup({ namespace, database, access: 'account', variables: { name: 'ada', pass: 'x' } })
    await db.signin({ namespace, database, access: 'account', variables: { name: 'ada', pass: 'x' } })
    await db.invalidate()
    return seen
  },
}
