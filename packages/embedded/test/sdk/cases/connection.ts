import {
  applyDiagnostics,
  CborCodec,
  createRemoteEngines,
  type Diagnostic,
  Features,
  FlatBufferCodec,
  JsonCodec,
  MAXIMUM_VERSION,
  MINIMUM_VERSION,
  Surreal,
} from 'surrealdb'
import { WebSocket } from 'ws'
import { attempt, attempts, type Cases } from '../sdk.ts'

export const CONNECTION: Cases = {
  'connect: with every way to write the address': async ({ driver, url, root }) => {
    const addresses = [
      url,
      new URL(url),
      url.replace(/\/rpc$/, ''),
      url.replace('127.0.0.1', 'localhost'),
      `${url}?x=1`,
    ]
    return await attempts(...addresses.map((address) => () => driver().connect(address, { authentication: root })))
  },
  'connect: with a scheme that is none': async ({ driver }) =>
    await attempt(() => driver().connect('nope://127.0.0.1')),
  'connect: nobody signed in': async ({ driver, url }) => {
    const db = driver()
    await db.connect(url)
    return [
      db.status,
      ...(await attempts(
        () => db.version(),
        () => db.health(),
        () => db.query('RETURN 1'),
        () => db.use({ namespace: 'a', database: 'b' }),
        () => db.query('RETURN 1'),
      )),
    ]
  },
  'connect: namespace, database': async ({ driver, url, root, namespace, database }) => {
    const answers: unknown[] = []
    for (const options of [
      {},
      { namespace },
      { namespace, database },
      { namespace: `unmade_${database}`, database: 'unmade' },
    ]) {
      const db = driver()
      answers.push(await attempt(() => db.connect(url, { ...options, authentication: root })))
      answers.push(db.namespace === undefined, db.database === undefined)
      answers.push(await attempt(() => db.query('RETURN [type::of($session.ns), type::of($session.db)]; CREATE t:1')))
    }
    return answers
  },
  'connect: authentication, as a value, a function, a token, null, wrong': async ({ driver, url, root, db }) => {
    const ways = [
      root,
      () => root,
      async () => root,
      db.accessToken ?? '',
      () => db.accessToken ?? '',
      null,
      () => null,
      { ...root, password: 'wrong' },
    ]
    return await attempts(
      ...ways.map((authentication) => async () => {
        const other = driver()
        const connected = await attempt(() => other.connect(url, { authentication, reconnect: false }))
        if (connected instanceof Error) return connected
        return [other.status, typeof other.accessToken, await attempt(() => other.query('RETURN 1'))]
      }),
    )
  },
  'connect: versionCheck, expiryMargin, invalidateOnExpiry, reconnect, retry': async ({ driver, url, root }) =>
    await attempts(
      () => driver().connect(url, { authentication: root, versionCheck: false }),
      () => driver().connect(url, { authentication: root, versionCheck: true }),
      () => driver().connect(url, { authentication: root, expiryMargin: 10, invalidateOnExpiry: true }),
      () => driver().connect(url, { authentication: root, reconnect: true, retry: true }),
      () =>
        driver().connect(url, {
          authentication: root,
          retry: {
            enabled: true,
            attempts: 3,
            retryDelay: 1,
            retryDelayMax: 2,
            retryDelayMultiplier: 2,
            retryDelayJitter: 0.1,
            retryable: () => false,
          },
        }),
    ),
  'connect: twice, and after close': async ({ driver, url, root }) => {
    const db = driver()
    const options = { authentication: root }
    await db.connect(url, options)
    await db.connect(url, options)
    const first = await db.query('RETURN 1')
    await db.close()
    const closed = [db.status, await attempt(() => db.query('RETURN 1'))]
    await db.connect(url, options)
    return [first, closed, await db.query('RETURN 2')]
  },
  'connect: several at once': async ({ driver, url, root }) => {
    const db = driver()
    void attempt(() => db.connect(url, { authentication: root }))
    await db.connect(url, { authentication: root })
    return await db.query('RETURN 1')
  },
  'status, isConnected, ready': async ({ driver, url, root }) => {
    const db = driver()
    const before = [db.status, db.isConnected, await attempt(() => db.ready)]
    const connecting = db.connect(url, { authentication: root })
    const during = db.status
    await db.ready
    await connecting
    const after = [db.status, db.isConnected]
    await db.close()
    return [before, during, after, db.status, await db.close()]
  },
  'version, health, when connected and when not': async ({ db, driver }) =>
    await attempts(
      () => db.version(),
      () => db.health(),
      () => driver().version(),
      () => driver().health(),
    ),
  'the version is one that the SDK supports': async ({ db }) => {
    const { version } = await db.version()
    const number = version.replace(/^surrealdb-/, '')
    const compare = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true })
    return [compare(number, MINIMUM_VERSION) >= 0, compare(number, MAXIMUM_VERSION) < 0]
  },
  features: async ({ db, driver }) => [
    Object.entries(Features).map(([name, feature]) => [name, db.isFeatureSupported(feature)]),
    await attempt(async () => driver().isFeatureSupported(Features.Api)),
  ],
  'events: connecting, connected, using, auth, disconnected': async ({ driver, url, root, namespace, database }) => {
    const db = driver()
    const seen: unknown[] = []
    for (const event of [
      'connecting',
      'connected',
      'reconnecting',
      'disconnected',
      'error',
      'auth',
      'using',
    ] as const) {
      db.subscribe(event, (...payload: unknown[]) =>
        seen.push([event, ...payload.map((item) => (item instanceof Error ? item.name : item))]),
      )
    }
    await db.connect(url, { namespace, database, authentication: root })
    await db.use({ namespace, database: null })
    await db.invalidate()
    await db.close()
    return seen
  },
  'events: an unsubscribed listener hears nothing': async ({ driver, url, root }) => {
    const db = driver()
    let heard = 0
    const stop = db.subscribe('connected', () => heard++)
    stop()
    await db.connect(url, { authentication: root })
    return heard
  },
  'driver options: fetchImpl, websocketImpl, engines, codecs': async ({ driver, url, root, namespace, database }) => {
    const requests: string[] = []
    const events: Diagnostic['type'][] = []
    let made = 0
    class Counted extends WebSocket {
      constructor(...args: ConstructorParameters<typeof WebSocket>) {
        super(...args)
        made++
      }
    }
    const db = driver({
      fetchImpl: async (input, init) => {
        requests.push(new URL(String(input)).pathname)
        return await fetch(input, init)
      },
      websocketImpl: Counted as unknown as typeof globalThis.WebSocket,
      engines: applyDiagnostics(createRemoteEngines(), ({ type, phase }) => {
        if (phase === 'after') events.push(type)
      }),
      codecs: {
        cbor: (options) => new CborCodec(options),
        json: (options) => new JsonCodec(options),
        flatbuffer: (options) => new FlatBufferCodec(options),
      },
    })
    await db.connect(url, { namespace, database, authentication: root })
    const answer = await db.query('RETURN 1')
    const exported = await attempt(() => db.export({ records: false }))
    return [answer, typeof exported, requests, made, events]
  },
  'a codec of our own speaks with the server': async ({ driver, url, root }) => {
    const db = driver({ codecs: { cbor: (options) => new CborCodec({ ...options, useNativeDates: true }) } })
    await db.connect(url, { authentication: root })
    return await db.query('RETURN d"2024-01-01T00:00:00Z"')
  },
  'sessions over a driver that is not connected': async ({ driver }) => {
    const db = driver()
    return await attempts(
      () => db.newSession(),
      () => db.sessions(),
      () => db.use({ namespace: 'a' }),
      () => db.signin({ username: 'a', password: 'b' }),
      () => db.export(),
      () => db.query('RETURN 1'),
    )
  },
  'a driver is a Surreal': async ({ driver }) => driver() instanceof Surreal,
}
