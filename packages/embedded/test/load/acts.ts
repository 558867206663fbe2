import { embeddedSurreal } from '@procref/embedded'
import { type Child, startChild } from '@procref/testing'
import { RawClient } from '../raw-client.ts'
import type { TestServer } from '../server.ts'

/** What a server is asked to do again and again, to see what it keeps of it. */
export type ActName = 'connections' | 'sign-ins' | 'queries' | 'writes' | 'long writes' | 'visits'

/** Something that is done to a server, or in an engine, in rounds of a hundred. */
export interface Doer extends AsyncDisposable {
  /** The process whose memory it is about. */
  readonly child: Child
  hundred(): Promise<void>
}

const TEXT = 'x'.repeat(200)
const ROWS_A_VISIT = 10
/** The rows of so many visits stay. */
const KEPT_VISITS = 10

const QUERY = 'RETURN $n + 1'
/** As many rows as before, afterwards. */
const WRITE = `UPSERT type::record("kept", $n % 100) CONTENT { by: $n, text: "${TEXT}" }`

const LONG_WRITE = 'UPSERT type::record("kept", $n % 100) CONTENT { by: $n, text: string::repeat("x", 2000) }'

const STATEMENTS: { readonly [act in ActName]?: string } = {
  queries: QUERY,
  writes: WRITE,
  'long writes': LONG_WRITE,
}

/** `act` by clients of a server. */
export function byClients(server: TestServer, act: ActName): Promise<Doer> {
  return CLIENTS[act](server)
}

/** The same by the engine alone, in a process of its own; `undefined`: without clients there is no such act. */
export async function byEngineAlone(
  act: ActName,
  endpoint: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Doer | undefined> {
  const statements = STATEMENTS[act]
  if (statements === undefined && act !== 'sign-ins') return undefined
  const child = startChild(new URL('./engine-alone.mjs', import.meta.url), {
    args: [endpoint, statements === undefined ? act : 'statements', statements ?? ''],
    env: { ...embeddedSurreal().guardianEnvironment, ...env },
  })
  await child.event('ready')
  return {
    child,
    async hundred() {
      child.send('more')
      await child.event('done')
    },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  }
}

const CLIENTS: Readonly<Record<ActName, (server: TestServer) => Promise<Doer>>> = {
  connections: async (server) =>
    inTurns(server, async (n) => {
      const client = await RawClient.connect(server.port)
      await client.result('ping')
      await leave(client, n)
    }),
  'sign-ins': async (server) => inTurns(server, async (n) => await leave(await RawClient.root(server.port), n)),
  queries: (server) => byOneClient(server, (client, n) => client.query(QUERY, { n })),
  writes: (server) => byOneClient(server, (client, n) => client.query(WRITE, { n })),
  'long writes': (server) => byOneClient(server, (client, n) => client.query(LONG_WRITE, { n })),
  visits: async (server) => inTurns(server, async (n) => await visit(server.port, n)),
}

/** As a short-lived program: it writes, reads what it wrote, and deletes what is old. */
async function visit(port: number, n: number): Promise<void> {
  const client = await RawClient.root(port)
  for (let row = 0; row < ROWS_A_VISIT; row++) {
    const variables = { id: `${n}_${row}`, n, text: TEXT }
    await client.query('UPSERT type::record("visit", $id) CONTENT { by: $n, text: $text }', variables)
  }
  const [own] = await client.query('SELECT VALUE id FROM visit WHERE by = $n', { n })
  if ((own as readonly unknown[]).length !== ROWS_A_VISIT) throw new Error(`visit ${n} does not find its rows`)
  await client.query('DELETE visit WHERE by < $n', { n: n - KEPT_VISITS })
  await leave(client, n)
}

/** Every second client is killed, as far as the server sees it. */
async function leave(client: RawClient, n: number): Promise<void> {
  if (n % 2 === 0) client.socket.close()
  else client.socket.terminate()
  await client.closed
}

function inTurns(server: TestServer, once: (n: number) => Promise<void>): Doer {
  let done = 0
  return {
    child: server.child,
    async hundred() {
      for (let n = 0; n < 100; n++) await once(done++)
    },
    async [Symbol.asyncDispose]() {},
  }
}

async function byOneClient(
  server: TestServer,
  once: (client: RawClient, n: number) => Promise<unknown>,
): Promise<Doer> {
  const client = await RawClient.root(server.port)
  return {
    ...inTurns(server, async (n) => void (await once(client, n))),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  }
}
