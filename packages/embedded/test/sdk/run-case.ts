import { HANGS_MS, within } from '@procref/testing'
import { type ConnectOptions, type DriverOptions, Surreal, SurrealSession, type Uuid } from 'surrealdb'
import { WebSocket } from 'ws'
import { comparable } from '../comparable.ts'
import { described } from './described.ts'
import { type Relay, startRelay } from './relay.ts'
import type { Case, Protocol, Sdk } from './sdk.ts'
import type { Witness } from './witness.ts'

/** A server that cases are run on. */
export interface SdkServer {
  readonly port: number
  readonly username: string
  readonly password: string
}

export interface Place {
  readonly server: SdkServer
  readonly protocol: Protocol
  /** A name that no other case uses on this server. */
  readonly database: string
  readonly witness: Witness
}

const NAMESPACE = 'sdk'

/** More than the waits of a case together can take: reaching it means "hangs". */
const LIMIT_MS = 4 * HANGS_MS

/** Makes the databases of all cases, at once: many that are made side by side conflict with each other. */
export async function makeDatabases({ port, username, password }: SdkServer, names: readonly string[]): Promise<void> {
  const db = new Surreal()
  await db.connect(`http://127.0.0.1:${port}/rpc`, { authentication: { username, password } })
  await db.query(
    `DEFINE NAMESPACE ${NAMESPACE}; USE NS ${NAMESPACE}; DEFINE DATABASE ${names.join('; DEFINE DATABASE ')}`,
  )
  await db.close()
}

/** Runs one case in a database of its own, which exists, and resolves with its answer in a form that can be compared. */
export async function runCase(name: string, run: Case, place: Place): Promise<unknown> {
  await using sdk = await SdkAtServer.prepare(place)
  const answer = await within(`'${name}' over ${place.protocol}`, run(sdk), LIMIT_MS)
  return JSON.parse(comparable(described(answer)).replaceAll(place.database, 'DATABASE'))
}

class SdkAtServer implements Sdk, AsyncDisposable {
  readonly protocol: Protocol
  readonly url: string
  readonly namespace: string = NAMESPACE
  readonly database: string
  readonly root: { readonly username: string; readonly password: string }
  readonly db: Surreal
  readonly #port: number
  readonly #witness: Witness
  readonly #opened: (() => PromiseLike<unknown>)[] = []

  private constructor({ server, protocol, database, witness }: Place) {
    const { port, username, password } = server
    this.protocol = protocol
    this.url = `${protocol}://127.0.0.1:${port}/rpc`
    this.database = database
    this.root = { username, password }
    this.#port = port
    this.#witness = witness
    this.db = this.driver()
  }

  static async prepare(place: Place): Promise<SdkAtServer> {
    const sdk = new SdkAtServer(place)
    const { db, url, namespace, database } = sdk
    // A token: a password takes a server a tenth of a second to check, and there are hundreds of cases.
    await db.connect(url, { authentication: await tokenOf(place) })
    await db.use({ namespace, database })
    return sdk
  }

  // Functions, not methods: cases take them out of the object.
  readonly driver = (options: DriverOptions = {}): Surreal => {
    this.#witness.note('new Surreal', [options])
    // Not there in the oldest Node that is supported.
    const websocketImpl = WebSocket as unknown as typeof globalThis.WebSocket
    const db = new Surreal({ websocketImpl, ...options })
    this.#opened.push(() => db.close())
    return this.#witness.watch(db)
  }

  readonly connect = async (options: ConnectOptions = {}): Promise<Surreal> => {
    const { namespace, database } = this
    const db = this.driver()
    await db.connect(this.url, { namespace, database, authentication: this.db.accessToken ?? this.root, ...options })
    return db
  }

  readonly sessionOf = (parent: SurrealSession, id: Uuid | undefined): SurrealSession => {
    this.#witness.note('SurrealSession.of', [])
    return this.#witness.watch(SurrealSession.of(this.#witness.plain(parent) as SurrealSession, id))
  }

  readonly relay = async (): Promise<Relay> => {
    const relay = await startRelay(this.#port)
    this.#opened.push(() => relay[Symbol.asyncDispose]())
    return relay
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#opened.reverse()) await end()
  }
}

const tokens = new WeakMap<SdkServer, Promise<string>>()

function tokenOf({ server }: Place): Promise<string> {
  const known = tokens.get(server) ?? signIn(server)
  tokens.set(server, known)
  return known
}

async function signIn({ port, username, password }: SdkServer): Promise<string> {
  const db = new Surreal()
  await db.connect(`http://127.0.0.1:${port}/rpc`)
  const { access } = await db.signin({ username, password })
  await db.close()
  return access
}
