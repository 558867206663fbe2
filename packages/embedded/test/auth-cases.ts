import { generateKeyPairSync } from 'node:crypto'
import { eventually } from '@procref/testing'
import { type HttpCall, httpCall } from './http-request.ts'
import { jsonWebToken } from './json-web-token.ts'
import { codec, type Message, RawClient } from './raw-client.ts'
import { PASSWORD, type TestServer, USER } from './server.ts'

export const NS = 'auth'
export const DB = 'auth'
const KEY = 'a key that the user has made'
const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const { privateKey: otherPrivateKey } = generateKeyPairSync('ed25519')
const PUBLIC = publicKey.export({ type: 'spki', format: 'pem' }).toString()

/** What every server gets before the cases. */
const PREPARED = `
  DEFINE USER ns_owner ON NAMESPACE PASSWORD 'x' ROLES OWNER;
  DEFINE USER ns_viewer ON NAMESPACE PASSWORD 'x' ROLES VIEWER;
  DEFINE USER db_owner ON DATABASE PASSWORD 'x' ROLES OWNER;
  DEFINE USER db_editor ON DATABASE PASSWORD 'x' ROLES EDITOR;
  DEFINE USER db_viewer ON DATABASE PASSWORD 'x' ROLES VIEWER;
  DEFINE USER gone ON DATABASE PASSWORD 'x' ROLES VIEWER;
  DEFINE USER root_viewer ON ROOT PASSWORD 'x' ROLES VIEWER;
  DEFINE ACCESS people ON DATABASE TYPE RECORD
    SIGNUP (CREATE person SET name = $name, pass = crypto::argon2::generate($pass))
    SIGNIN (SELECT * FROM person WHERE name = $name AND crypto::argon2::compare(pass, $pass))
    DURATION FOR TOKEN 1h, FOR SESSION 12h;
  DEFINE ACCESS renewed ON DATABASE TYPE RECORD
    SIGNUP (CREATE person SET name = $name) SIGNIN (SELECT * FROM person WHERE name = $name) WITH REFRESH DURATION FOR GRANT 1d, FOR TOKEN 1h;
  DEFINE ACCESS closed ON DATABASE TYPE RECORD;
  DEFINE ACCESS throws ON DATABASE TYPE RECORD SIGNUP { THROW 'no room' } SIGNIN { THROW 'go away' };
  DEFINE ACCESS telling ON DATABASE TYPE RECORD SIGNUP { THROW <string>[type::of($v), $v] } SIGNIN { THROW <string>[type::of($v), $v] };
  DEFINE ACCESS barred ON DATABASE TYPE RECORD SIGNUP (CREATE person SET name = $name) AUTHENTICATE { THROW 'barred' };
  DEFINE ACCESS unsure ON DATABASE TYPE RECORD SIGNUP (CREATE person SET name = $name) AUTHENTICATE { RETURN NONE };
  DEFINE ACCESS wrong ON DATABASE TYPE RECORD SIGNUP { RETURN 1 } SIGNIN { RETURN 'x' };
  DEFINE ACCESS keyed ON DATABASE TYPE RECORD WITH JWT ALGORITHM HS512 KEY '${KEY}';
  DEFINE ACCESS db_jwt ON DATABASE TYPE JWT ALGORITHM HS512 KEY '${KEY}' DURATION FOR SESSION 1d;
  DEFINE ACCESS ns_jwt ON NAMESPACE TYPE JWT ALGORITHM HS512 KEY '${KEY}';
  DEFINE ACCESS root_jwt ON ROOT TYPE JWT ALGORITHM HS512 KEY '${KEY}';
  DEFINE ACCESS pair ON DATABASE TYPE JWT ALGORITHM EDDSA KEY '${PUBLIC}';
  DEFINE ACCESS db_bearer ON DATABASE TYPE BEARER FOR USER DURATION FOR GRANT 1d, FOR TOKEN 1h;
  DEFINE ACCESS ns_bearer ON NAMESPACE TYPE BEARER FOR USER;
  DEFINE ACCESS root_bearer ON ROOT TYPE BEARER FOR USER;
  DEFINE ACCESS short_bearer ON DATABASE TYPE BEARER FOR USER DURATION FOR GRANT 1s;
  DEFINE ACCESS record_bearer ON DATABASE TYPE BEARER FOR RECORD;
  DEFINE TABLE person PERMISSIONS FOR select WHERE id = $auth.id, FOR create, update, delete NONE;
  DEFINE TABLE note PERMISSIONS FOR select, create WHERE owner = $auth.id;
  DEFINE TABLE secret PERMISSIONS NONE;
  CREATE secret:1; CREATE person:ann SET name = 'ann'; CREATE note:1 SET owner = person:bob;
`

/** What somebody may see and do, as far as the answer is told. */
const LOOKS: readonly string[] = [
  'RETURN [$auth, session::ns(), session::db(), session::ac()]',
  'RETURN [$token.NS, $token.DB, $token.AC, $token.ID, $token.iss, $token.RL]',
  'SELECT * FROM secret',
  'SELECT VALUE name FROM person WHERE name = "ann"',
  'CREATE note:mine SET owner = $auth.id RETURN VALUE id',
  'DELETE note:mine',
  'CREATE written:1 RETURN VALUE id',
  'DELETE written:1',
  'DEFINE PARAM OVERWRITE $p VALUE 1',
  "DEFINE USER OVERWRITE made ON DATABASE PASSWORD 'x'",
  'RETURN object::keys(INFO FOR DB)',
  'RETURN object::keys(INFO FOR NS)',
  'RETURN object::keys(INFO FOR ROOT)',
  'ACCESS db_bearer SHOW WHERE id = "none"',
]

/** One server, prepared, and with what the cases keep of it. */
export class Doorway implements AsyncDisposable {
  readonly port: number
  #opened: RawClient[] = []

  private constructor(port: number) {
    this.port = port
  }

  static async open({ port }: TestServer): Promise<Doorway> {
    const doorway = new Doorway(port)
    await (await doorway.root()).query(PREPARED)
    return doorway
  }

  /** Nobody yet. */
  async client(): Promise<RawClient> {
    const client = await RawClient.connect(this.port)
    this.#opened.push(client)
    return client
  }

  async root(): Promise<RawClient> {
    const client = await this.client()
    await client.result('signin', [{ user: USER, pass: PASSWORD }])
    await client.result('use', [NS, DB])
    return client
  }

  /** Signs in (or up), and what then is possible. */
  async entered(method: string, login: unknown): Promise<unknown> {
    const client = await this.client()
    const answer = said(await client.call(method, [login]))
    return { answer, seen: await seen(client) }
  }

  async token(login: object, method = 'signin'): Promise<string> {
    const token = await (await this.client()).result(method, [login])
    return typeof token === 'string' ? token : (token as { access: string }).access
  }

  /** The key of a new grant. */
  async grant(access: string, level: string, subject: string): Promise<{ readonly id: string; readonly key: string }> {
    const [grant] = await (await this.root()).query(`ACCESS ${access} ON ${level} GRANT FOR ${subject}`)
    return (grant as { grant: { id: string; key: string } }).grant
  }

  async http(call: HttpCall): Promise<unknown> {
    const { status, headers, body } = await httpCall(this.port, call)
    const isJson = headers['content-type'] === 'application/json' && body.length > 0
    return { status, type: headers['content-type'], value: isJson ? JSON.parse(`${body}`) : `${body}` }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#opened.splice(0)) await client[Symbol.asyncDispose]()
  }
}

/** An answer, without its number. */
export function said({ id: _, ...rest }: Message): unknown {
  return rest
}

async function seen(client: RawClient): Promise<unknown> {
  const looks: unknown[] = []
  for (const look of LOOKS) looks.push(said(await client.call('query', [look])))
  looks.push(said(await client.call('use', ['elsewhere', 'elsewhere'])))
  return looks
}

type AuthCase = (doorway: Doorway) => Promise<unknown>

const entering =
  (method: string, login: unknown): AuthCase =>
  (doorway) =>
    doorway.entered(method, login)

export const user = (name: string, level: 'root' | 'ns' | 'db', pass = 'x'): object => ({
  ...(level !== 'root' && { ns: NS }),
  ...(level === 'db' && { db: DB }),
  user: name,
  pass,
})

export const record = (ac: string, more: object = {}): object => ({
  ns: NS,
  db: DB,
  ac,
  name: 'somebody',
  pass: 'p',
  ...more,
})

const HOUR = 3600
const claims = (more: object = {}): object => ({
  iss: 'somebody else',
  exp: Math.floor(Date.now() / 1000) + HOUR,
  NS,
  DB,
  AC: 'db_jwt',
  ...more,
})
const presenting =
  (token: () => string): AuthCase =>
  (doorway) =>
    doorway.entered('authenticate', token())
const jwt = (more?: object, how: Partial<Parameters<typeof jsonWebToken>[1]> = {}): AuthCase =>
  presenting(() => jsonWebToken(claims(more), { key: KEY, ...how }))

const SQL = 'RETURN [session::ns(), session::db(), $auth]'
const asking = (headers: object): HttpCall => ({
  path: '/sql',
  body: SQL,
  headers: { accept: 'application/json', 'surreal-ns': NS, 'surreal-db': DB, ...headers },
})
const basic = (name: string, pass = 'x'): object => ({
  authorization: `Basic ${Buffer.from(`${name}:${pass}`).toString('base64')}`,
})
const asked =
  (headers: object): AuthCase =>
  (doorway) =>
    doorway.http(asking(headers))
const signing =
  (path: '/signin' | '/signup', login: object): AuthCase =>
  (doorway) =>
    doorway.http({ path, body: JSON.stringify(login), headers: { accept: 'application/json' } })
/** The login as it is written. */
const signingAs =
  (path: '/signin' | '/signup', body: string | Uint8Array, headers: object = {}): AuthCase =>
  (doorway) =>
    doorway.http({ path, body, headers: { accept: 'application/json', ...headers } })
/** As what a variable of the login arrives. */
const given = (literal: string): AuthCase =>
  signingAs('/signup', `{ "NS": "${NS}", "DB": "${DB}", "AC": "telling", "v": ${literal} }`)
const forms = (name: string, texts: readonly string[], made: (text: string) => AuthCase): Record<string, AuthCase> =>
  Object.fromEntries(texts.map((text) => [`${name}: ${text}`, made(text)]))
const IN_NS = { 'surreal-auth-ns': NS }
const IN_DB = { ...IN_NS, 'surreal-auth-db': DB }

const bearer =
  (access: string, level: 'DATABASE' | 'NAMESPACE' | 'ROOT', subject: string): AuthCase =>
  async (doorway) => {
    const { key } = await doorway.grant(access, level, subject)
    const at = { ...(level !== 'ROOT' && { ns: NS }), ...(level === 'DATABASE' && { db: DB }) }
    return await doorway.entered('signin', { ...at, ac: access, key })
  }

export const AUTH_CASES: Readonly<Record<string, AuthCase>> = {
  nobody: async (doorway) => seen(await doorway.client()),
  'a root user': entering('signin', user(USER, 'root', PASSWORD)),
  'a viewer of the root': entering('signin', user('root_viewer', 'root')),
  'an owner of a namespace': entering('signin', user('ns_owner', 'ns')),
  'a viewer of a namespace': entering('signin', user('ns_viewer', 'ns')),
  'an owner of a database': entering('signin', user('db_owner', 'db')),
  'an editor of a database': entering('signin', user('db_editor', 'db')),
  'a viewer of a database': entering('signin', user('db_viewer', 'db')),
  'a user of a database, at the namespace': entering('signin', user('db_owner', 'ns')),
  'a user of a database, at the root': entering('signin', user('db_owner', 'root')),
  'a user of a namespace, at the database': entering('signin', user('ns_owner', 'db')),
  'a root user, at the database': entering('signin', user(USER, 'db', PASSWORD)),
  'a user with a wrong password': entering('signin', user('db_owner', 'db', 'y')),
  'a user of a database that is not there': entering('signin', { ...user('db_owner', 'db'), db: 'nope' }),
  'a user with an empty password': entering('signin', user('db_owner', 'db', '')),
  'a user with a number for a password': entering('signin', { ...user('db_owner', 'db'), pass: 1 }),
  'long names for the same': entering('signin', { namespace: NS, database: DB, username: 'db_owner', password: 'x' }),
  'a record signs up': entering('signup', record('people')),
  'a record signs up, and in': async (doorway) => {
    const login = record('people', { name: 'twice' })
    return [await doorway.entered('signup', login), await doorway.entered('signin', login)]
  },
  'a record with a wrong password': entering('signin', record('people', { pass: 'wrong' })),
  'a record without its parameters': entering('signin', { ns: NS, db: DB, ac: 'people' }),
  'a record of an access without SIGNUP': entering('signup', record('closed')),
  'a record of an access without SIGNIN': entering('signin', record('closed')),
  'a record whose SIGNUP throws': entering('signup', record('throws')),
  'a record whose SIGNIN throws': entering('signin', record('throws')),
  'a record whose AUTHENTICATE throws': entering('signup', record('barred')),
  'a record whose AUTHENTICATE gives nothing': entering('signup', record('unsure')),
  'a record whose SIGNUP gives no record': entering('signup', record('wrong')),
  'a record whose SIGNIN gives no record': entering('signin', record('wrong')),
  'a record signs up with an access of another type': entering('signup', record('db_jwt')),
  'a record signs in with an access of another type': entering('signin', record('db_jwt')),
  'a record of an access that is not there': entering('signin', record('nope')),
  'a token of a root user': async (doorway) =>
    doorway.entered('authenticate', await doorway.token(user(USER, 'root', PASSWORD))),
  'a token of a user of a namespace': async (doorway) =>
    doorway.entered('authenticate', await doorway.token(user('ns_owner', 'ns'))),
  'a token of a user of a database': async (doorway) =>
    doorway.entered('authenticate', await doorway.token(user('db_viewer', 'db'))),
  'a token of a record': async (doorway) =>
    doorway.entered('authenticate', await doorway.token(record('people', { name: 'token' }), 'signup')),
  'a token of a user that was removed': async (doorway) => {
    const token = await doorway.token(user('gone', 'db'))
    await (await doorway.root()).query('REMOVE USER gone ON DATABASE')
    return await doorway.entered('authenticate', token)
  },
  'a token that was tampered with': async (doorway) => {
    const [head, , end] = (await doorway.token(user('db_viewer', 'db'))).split('.')
    const forged = Buffer.from(JSON.stringify({ ...claims(), iss: 'SurrealDB', ID: 'db_owner', AC: undefined }))
    return await doorway.entered('authenticate', `${head}.${forged.toString('base64url')}.${end}`)
  },
  'no token at all': entering('authenticate', ''),
  'a token of two parts': entering('authenticate', 'a.b'),
  'a token that is a number': entering('authenticate', 1),
  'JWT: of a database': jwt(),
  'JWT: of a database, as an owner': jwt({ RL: ['Owner'] }),
  'JWT: of a database, with roles that are none': jwt({ RL: ['Nope'] }),
  'JWT: of a database, with an ID': jwt({ ID: 'somebody' }),
  'JWT: of a namespace': jwt({ AC: 'ns_jwt', DB: undefined, RL: ['Viewer'] }),
  'JWT: of the root': jwt({ AC: 'root_jwt', DB: undefined, NS: undefined, RL: ['Viewer'] }),
  'JWT: of a record': jwt({ AC: 'keyed', ID: 'person:ann' }),
  'JWT: of a record that is not there': jwt({ AC: 'keyed', ID: 'person:nope' }),
  'JWT: of a record without its ID': jwt({ AC: 'keyed' }),
  'JWT: of a record whose ID is none': jwt({ AC: 'keyed', ID: 'ann' }),
  'JWT: of a pair of keys': jwt({ AC: 'pair' }, { alg: 'EdDSA', key: privateKey }),
  'JWT: of another pair of keys': jwt({ AC: 'pair' }, { alg: 'EdDSA', key: otherPrivateKey }),
  'JWT: signed with the public key': jwt({ AC: 'pair' }, { alg: 'HS512', key: PUBLIC }),
  'JWT: with a wrong key': jwt({}, { key: 'another' }),
  'JWT: with the key of what a dump has in its place': jwt({ AC: 'people', ID: 'person:ann' }, { key: '[REDACTED]' }),
  'JWT: with another algorithm': jwt({}, { alg: 'HS256' }),
  'JWT: not signed': jwt({}, { alg: 'none' }),
  'JWT: expired': jwt({ exp: 1_000_000_000 }),
  'JWT: not valid yet': jwt({ nbf: 4_000_000_000 }),
  'JWT: without an end': jwt({ exp: undefined }),
  'JWT: of another namespace': jwt({ NS: 'nope' }),
  'JWT: of another database': jwt({ DB: 'nope' }),
  'JWT: of an access that is not there': jwt({ AC: 'nope' }),
  'JWT: of an access of records': jwt({ AC: 'people', ID: 'person:ann' }),
  'JWT: without an access': jwt({ AC: undefined }),
  'JWT: without a namespace': jwt({ NS: undefined }),
  'bearer: a user of a database': bearer('db_bearer', 'DATABASE', 'USER db_viewer'),
  'bearer: a user of a namespace': bearer('ns_bearer', 'NAMESPACE', 'USER ns_viewer'),
  'bearer: a user of the root': bearer('root_bearer', 'ROOT', 'USER root_viewer'),
  'bearer: a record': bearer('record_bearer', 'DATABASE', 'RECORD person:ann'),
  'bearer: a wrong key': entering('signin', {
    ns: NS,
    db: DB,
    ac: 'db_bearer',
    key: 'surreal-bearer-aaaaaaaaaaaa-bbbbbbbbbbbbbbbbbbbbbbbb',
  }),
  'bearer: no key of that form': entering('signin', { ns: NS, db: DB, ac: 'db_bearer', key: 'x' }),
  'bearer: without a key': entering('signin', { ns: NS, db: DB, ac: 'db_bearer' }),
  'bearer: the key of another access': async (doorway) => {
    const { key } = await doorway.grant('db_bearer', 'DATABASE', 'USER db_viewer')
    return await doorway.entered('signin', { ns: NS, db: DB, ac: 'short_bearer', key })
  },
  'bearer: a secret that is wrong': async (doorway) => {
    const { key } = await doorway.grant('db_bearer', 'DATABASE', 'USER db_viewer')
    return await doorway.entered('signin', {
      ns: NS,
      db: DB,
      ac: 'db_bearer',
      key: key.replace(/.$/, (c) => (c === 'a' ? 'b' : 'a')),
    })
  },
  'bearer: revoked': async (doorway) => {
    const { id, key } = await doorway.grant('db_bearer', 'DATABASE', 'USER db_viewer')
    const login = { ns: NS, db: DB, ac: 'db_bearer', key }
    const token = await doorway.token(login)
    await (await doorway.root()).query(`ACCESS db_bearer ON DATABASE REVOKE GRANT ${id}`)
    return [await doorway.entered('signin', login), await doorway.entered('authenticate', token)]
  },
  'bearer: expired': async (doorway) => {
    const { key } = await doorway.grant('short_bearer', 'DATABASE', 'USER db_viewer')
    const login = { ns: NS, db: DB, ac: 'short_bearer', key }
    await eventually(
      'the grant expires',
      async () => (await (await doorway.client()).call('signin', [login])).error !== undefined,
    )
    return await doorway.entered('signin', login)
  },
  'bearer: for a user that is not there': async (doorway) =>
    said(await (await doorway.root()).call('query', ['ACCESS db_bearer ON DATABASE GRANT FOR USER nope'])),
  'bearer: granted by an editor': async (doorway) => {
    const client = await doorway.client()
    await client.result('signin', [user('db_editor', 'db')])
    return said(await client.call('query', ['ACCESS db_bearer ON DATABASE GRANT FOR USER db_owner']))
  },
  'refresh tokens': async (doorway) => {
    const client = await doorway.client()
    const first = (await client.result('signup', [record('renewed', { name: 'renewed' })])) as Tokens
    const second = (await client.result('refresh', [first])) as Tokens
    const spent = said(await client.call('refresh', [first]))
    const other = await doorway.entered('refresh', second)
    return { first: shape(first), second: shape(second), renewed: first.refresh !== second.refresh, spent, other }
  },
  'refresh tokens: in a sign-in': async (doorway) => {
    const client = await doorway.client()
    const { refresh } = (await client.result('signup', [record('renewed', { name: 'again' })])) as Tokens
    const login = { ns: NS, db: DB, ac: 'renewed', refresh }
    return [await doorway.entered('signin', login), await doorway.entered('signin', login)]
  },
  'refresh tokens: revoked': async (doorway) => {
    const client = await doorway.client()
    const tokens = (await client.result('signup', [record('renewed', { name: 'revoked' })])) as Tokens
    const revoked = said(await client.call('revoke', [tokens]))
    return {
      revoked,
      afterwards: await doorway.entered('refresh', tokens),
      still: await doorway.entered('authenticate', tokens.access),
    }
  },
  'refresh tokens: wrong ones': async (doorway) => {
    const client = await doorway.client()
    const { access } = (await client.result('signup', [record('renewed', { name: 'wrong' })])) as Tokens
    const answers: unknown[] = []
    for (const given of [access, {}, { access }, { access, refresh: 'x' }, { access: 'x', refresh: 'y' }]) {
      answers.push(said(await client.call('refresh', [given])))
    }
    return answers
  },
  'headers: a root user': asked(basic(USER, PASSWORD)),
  'headers: a user of a namespace': asked({ ...basic('ns_owner'), ...IN_NS }),
  'headers: a user of a database': asked({ ...basic('db_viewer'), ...IN_DB }),
  'headers: a user of a database, without its database': asked({ ...basic('db_viewer'), ...IN_NS }),
  'headers: a user of a database, without either': asked(basic('db_viewer')),
  'headers: a database without its namespace': asked({ ...basic('db_viewer'), 'surreal-auth-db': DB }),
  'headers: a root user, with a database': asked({ ...basic(USER, PASSWORD), ...IN_DB }),
  'headers: a user of a database, elsewhere': asked({
    ...basic('db_viewer'),
    ...IN_DB,
    'surreal-ns': 'elsewhere',
    'surreal-db': 'elsewhere',
  }),
  'headers: a user of a namespace, elsewhere': asked({ ...basic('ns_owner'), ...IN_NS, 'surreal-ns': 'elsewhere' }),
  'headers: a wrong password': asked({ ...basic('db_viewer', 'y'), ...IN_DB }),
  'headers: an empty password': asked({ ...basic('db_viewer', ''), ...IN_DB }),
  'headers: a token of a user': async (doorway) =>
    doorway.http(asking({ authorization: `Bearer ${await doorway.token(user('db_viewer', 'db'))}` })),
  'headers: a token of a record': async (doorway) =>
    doorway.http(
      asking({ authorization: `Bearer ${await doorway.token(record('people', { name: 'header' }), 'signup')}` }),
    ),
  'headers: a token, elsewhere': async (doorway) =>
    doorway.http(
      asking({ authorization: `Bearer ${await doorway.token(user('db_viewer', 'db'))}`, 'surreal-db': 'elsewhere' }),
    ),
  'headers: a JWT': (doorway) =>
    doorway.http(asking({ authorization: `Bearer ${jsonWebToken(claims(), { key: KEY })}` })),
  'headers: a JWT that has expired': (doorway) =>
    doorway.http(asking({ authorization: `Bearer ${jsonWebToken(claims({ exp: 1 }), { key: KEY })}` })),
  'headers: a JWT with a wrong key': (doorway) =>
    doorway.http(asking({ authorization: `Bearer ${jsonWebToken(claims(), { key: 'x' })}` })),
  'headers: the key of a grant': async (doorway) => {
    const { key } = await doorway.grant('db_bearer', 'DATABASE', 'USER db_viewer')
    return await doorway.http(asking({ authorization: `Bearer ${key}` }))
  },
  '/signin: a root user': signing('/signin', user(USER, 'root', PASSWORD)),
  '/signin: a user of a namespace': signing('/signin', user('ns_owner', 'ns')),
  '/signin: a user of a database': signing('/signin', user('db_viewer', 'db')),
  '/signin: a user with a wrong password': signing('/signin', user('db_viewer', 'db', 'y')),
  '/signin: a record': async (doorway) => {
    const login = record('people', { name: 'over http' })
    return [await signing('/signup', login)(doorway), await signing('/signin', login)(doorway)]
  },
  '/signin: a record with a wrong password': signing('/signin', record('people', { pass: 'wrong' })),
  '/signin: a record whose SIGNIN throws': signing('/signin', record('throws')),
  '/signup: a record whose SIGNUP throws': signing('/signup', record('throws')),
  '/signup: an access without SIGNUP': signing('/signup', record('closed')),
  '/signup: with a refresh token': signing('/signup', record('renewed', { name: 'over http, again' })),
  '/signup: a user': signing('/signup', user('db_viewer', 'db')),
  '/signin: a key of a grant': async (doorway) => {
    const { key } = await doorway.grant('db_bearer', 'DATABASE', 'USER db_viewer')
    return await signing('/signin', { ns: NS, db: DB, ac: 'db_bearer', key })(doorway)
  },
  ...forms(
    '/signin: a login as it may be written',
    [
      "{ user: 'root', pass: 'secret' }",
      '{"user":"root","pass":"secret",}',
      '{`user`:"root","pass":"sec\\u0072et"}',
      '/* c */ {"user":"root","pass":"secret"} -- c',
      '{"user":"nobody","pass":"x","user":"root","pass":"secret"}',
      '{"user":"root","pass":s"secret"}',
      '{"user":"root","pass":"secret"} x',
      '{"user":"root","pass":"secret"};',
      '{"user":"root","pass":"secret"}{}',
    ],
    (body) => signingAs('/signin', body),
  ),
  ...forms(
    '/signin: a login as it may not be written',
    [
      '',
      ' ',
      '{"user":"root" "pass":"secret"}',
      '{"user":"root","pass":"secret"',
      'user=root&pass=secret',
      'root',
      'root:1',
      'RETURN { user: "root", pass: "secret" }',
      '{ user: $user, pass: "secret" }',
      '{"user":root,"pass":"secret"}',
      '{"user":"root","pass":1}',
      '{"user":null,"pass":"secret"}',
      '\ufeff{"user":"root","pass":"secret"}',
    ],
    (body) => signingAs('/signin', body),
  ),
  ...forms(
    '/signin: a login, said to be of the type',
    [
      'application/json',
      'application/cbor',
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/octet-stream',
      'x/y',
      '*/*',
    ],
    (type) => signingAs('/signin', '{"user":"root","pass":"secret"}', { 'content-type': type }),
  ),
  '/signin: a login as CBOR': signingAs('/signin', codec.encode({ user: USER, pass: PASSWORD }), {
    'content-type': 'application/cbor',
    accept: 'application/cbor',
  }),
  ...forms(
    '/signin: asked for as',
    [
      'application/flatbuffers',
      'application/json;q=0.5',
      'text/plain, application/json',
      '',
      'application/octet-stream',
    ],
    (accept) => signingAs('/signin', '{"user":"root","pass":"secret"}', { accept }),
  ),
  ...forms(
    '/signup: a variable',
    [
      'null',
      'NULL',
      'true',
      'False',
      'none',
      'NONE',
      'NaN',
      '1',
      '-1',
      '+1',
      '1.0',
      '1e3',
      '-0',
      '01',
      '9223372036854775807',
      '9223372036854775808',
      '1.5dec',
      '1e3dec',
      '1f',
      '1h30m',
      "'a'",
      '"a:1"',
      '"2020-01-01T00:00:00Z"',
      '"018e0000-0000-7000-8000-000000000000"',
      '"\\u00fc\\n\\u{61}"',
      '"\\/"',
      '"\\ud83d\\ude00"',
      '"\\ud83d"',
      '"\\u{1F600}"',
      '"\\q"',
      'a:1',
      'a:[1, "b:1"]',
      'a:{ x: 1 }',
      'a:u"018e0000-0000-7000-8000-000000000000"',
      'a',
      '`a b`',
      'd"2020-01-01T00:00:00Z"',
      'u"018e0000-0000-7000-8000-000000000000"',
      'r"a:1"',
      'b"00"',
      '/a/',
      '[]',
      '[1,]',
      '[1, [2, {}]]',
      '{}',
      '{ a: 1, "b": 2, 3: 4, }',
      '{,}',
      '{1,2}',
      '(1,2)',
      '(1)',
      '{ type: "Point", coordinates: [1.0, 2.0] }',
      '1..2',
      '..',
      '1 + 1',
      '-a',
      'time::now()',
      '$v',
      `${'['.repeat(99)}${']'.repeat(99)}`,
      `${'['.repeat(100)}${']'.repeat(100)}`,
      `${'{a:'.repeat(99)}1${'}'.repeat(99)}`,
      `${'{a:'.repeat(100)}1${'}'.repeat(100)}`,
      `${'{a:'.repeat(98)}{}${'}'.repeat(98)}`,
      `${'{a:'.repeat(99)}{}${'}'.repeat(99)}`,
      `${'{a:'.repeat(100)}{}${'}'.repeat(100)}`,
    ],
    given,
  ),
  '/signin: a wrong key of a grant': signing('/signin', { ns: NS, db: DB, ac: 'db_bearer', key: 'x' }),
  ...Object.fromEntries(
    (
      [
        ['a viewer of a database', { ...basic('db_viewer'), ...IN_DB }],
        ['an editor of a database', { ...basic('db_editor'), ...IN_DB }],
        ['an owner of a namespace', { ...basic('ns_owner'), ...IN_NS }],
        ['a user of another database', { ...basic('db_viewer'), ...IN_DB, 'surreal-db': 'elsewhere' }],
      ] as const
    ).flatMap(([who, headers]): (readonly [string, AuthCase])[] => [
      [`/export: ${who}`, (doorway) => statusOf(doorway, { ...asking(headers), path: '/export', method: 'GET' })],
      [
        `/import: ${who}`,
        (doorway) =>
          doorway.http({
            ...asking(headers),
            path: '/import',
            body: 'OPTION IMPORT; DEFINE PARAM OVERWRITE $q VALUE 1;',
          }),
      ],
    ]),
  ),
  '/export: a record': async (doorway) => {
    const authorization = `Bearer ${await doorway.token(record('people', { name: 'export' }), 'signup')}`
    return await statusOf(doorway, { ...asking({ authorization }), path: '/export', method: 'GET' })
  },
  '/import: a record': async (doorway) => {
    const authorization = `Bearer ${await doorway.token(record('people', { name: 'import' }), 'signup')}`
    return await doorway.http({
      ...asking({ authorization }),
      path: '/import',
      body: 'OPTION IMPORT; CREATE secret:imported',
    })
  },
}

const MADE_UP = /-[A-Za-z0-9]{12}-[A-Za-z0-9]{24}$/

interface Tokens {
  readonly access: string
  readonly refresh: string
}

function shape({ access, refresh }: Tokens): object {
  return {
    access: access.startsWith('eyJ'),
    refresh: refresh.replace(MADE_UP, ' and what is made up'),
  }
}

/** A dump is long, and compared elsewhere. */
async function statusOf(doorway: Doorway, call: HttpCall): Promise<unknown> {
  const { body: _, ...rest } = call
  const answer = (await doorway.http(rest)) as { readonly status: number; readonly value: unknown }
  return answer.status === 200 ? { ...answer, value: 'a dump' } : answer
}

const ACTOR = 'An actor of a JWT is named in another form by the newer server; only the error texts tell.'
const OTHER_WORDS = 'Refused by both, with the same status; the older engine words it differently.'

/** Why these differ, and stay. */
export const AUTH_DIFFERENCES: Readonly<Record<string, string>> = {
  'JWT: of a database': ACTOR,
  'JWT: of a database, as an owner': ACTOR,
  'JWT: of a namespace': ACTOR,
  'JWT: of a pair of keys': ACTOR,
  'JWT: of a database, with roles that are none': 'The older engine does not name the cause of this error.',
  'bearer: a user of the root': 'The older engine has no sign-in with an access of the root.',
  'headers: a wrong password': OTHER_WORDS,
  'headers: an empty password': OTHER_WORDS,
}
