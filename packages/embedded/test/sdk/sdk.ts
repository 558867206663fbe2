import type { ConnectOptions, DriverOptions, Surreal, SurrealSession, Uuid } from 'surrealdb'
import type { Relay } from './relay.ts'

export type Protocol = 'ws' | 'http'

/** What a case gets: the official SDK at one server, over one protocol, and a database that no other case uses. */
export interface Sdk {
  readonly protocol: Protocol
  readonly url: string
  readonly namespace: string
  readonly database: string
  /** The server's root user. */
  readonly root: { readonly username: string; readonly password: string }
  /** Connected as root, in this case's own database. */
  readonly db: Surreal
  /** A driver that is not connected yet. Closed when the case has ended. */
  readonly driver: (options?: DriverOptions) => Surreal
  /** Another one, connected as root in the case's database, unless the options say otherwise. */
  readonly connect: (options?: ConnectOptions) => Promise<Surreal>
  /** `SurrealSession.of` */
  readonly sessionOf: (parent: SurrealSession, id: Uuid | undefined) => SurrealSession
  /** A way to the server whose connections can be cut. Ends with the case. */
  readonly relay: () => Promise<Relay>
}

/** Resolves with what the server answered, in any form that described.ts knows. */
export type Case = (sdk: Sdk) => Promise<unknown>
export type Cases = Readonly<Record<string, Case>>

/** Cases that begin with a call which the SDK itself refuses over HTTP: there the refusal is the answer. */
export function overWs(refused: (sdk: Sdk) => PromiseLike<unknown>, cases: Cases): Cases {
  const asked = Object.entries(cases).map(([name, run]): [string, Case] => [
    name,
    async (sdk) => (sdk.protocol === 'ws' ? await run(sdk) : await attempt(() => refused(sdk))),
  ])
  return Object.fromEntries(asked)
}

/** What a call resolves with, or the error that it rejects with: both are answers. */
export async function attempt(call: () => PromiseLike<unknown>): Promise<unknown> {
  try {
    return await call()
  } catch (error) {
    return error
  }
}

/** One after the other. */
export async function attempts(...calls: readonly (() => PromiseLike<unknown>)[]): Promise<readonly unknown[]> {
  const answers: unknown[] = []
  for (const call of calls) answers.push(await attempt(call))
  return answers
}
