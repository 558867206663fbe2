import type { Surreal } from 'surrealdb'
import { DEFAULT_DATABASE, DEFAULT_NAMESPACE } from '../drivers/default-database.ts'
import type { ConnectOptions } from '../surreal/connect.ts'
import { define, openConnection, type SignIn, type SurrealConnection } from '../surreal/connection.ts'
import { ExternalRefusedError } from './errors.ts'
import type { ExternalDriver } from './external.ts'
import { finalFailure } from './final-failure.ts'
import { isNotPermitted, isRefusal } from './refusal.ts'

/** How to get into the server, and what to think of a failure. */
export class Entrance {
  readonly driver: ExternalDriver
  readonly #names: { readonly namespace: string; readonly database: string }
  /** Whether the server has been told who we are on the connection that is being made. */
  #told = false
  #defining = false
  #ownFailure: unknown

  constructor(driver: ExternalDriver, names: Pick<ConnectOptions, 'namespace' | 'database'>) {
    this.driver = driver
    const { namespace = DEFAULT_NAMESPACE, database = DEFAULT_DATABASE } = names
    this.#names = { namespace, database }
  }

  async open(signal: AbortSignal): Promise<SurrealConnection> {
    this.begin()
    let signedIn: SignIn | undefined
    return await openConnection({
      ...this.#names,
      url: this.driver.url,
      pingMs: this.driver.pingMs,
      // Nothing of this machine can say who listens there: TLS does, for those who use it.
      prove: () => {},
      signal,
      credentials: async () => {
        try {
          signedIn = await this.driver.signIn()
        } catch (error) {
          this.#ownFailure = error
          throw error
        }
        this.#told = true
        return signedIn
      },
      prepare: async (db) => {
        this.#defining = true
        if (signedIn !== undefined) await defineMissing(db, this.#names, signedIn)
      },
    })
  }

  /** A connection is about to be made (again). */
  begin(): void {
    this.#told = false
    this.#defining = false
    this.#ownFailure = undefined
  }

  /** The error that ends all attempts, for the failure of one; `undefined`: try again. */
  async verdict(error: unknown): Promise<unknown> {
    const { url } = this.driver
    if (error === this.#ownFailure) return error
    if (await isRefusal(error)) {
      const refused = this.#defining ? 'definition' : this.#told ? 'credentials' : 'session'
      return new ExternalRefusedError({ url, refused, reason: String((error as Error).message) }, { cause: error })
    }
    return finalFailure(url, error)
  }
}

/**
 * Makes namespace and database if they are missing and whoever signed in may do that: the administrator both, the user of a namespace its
 * database. Who may only read is let in all the same; whether they exist the first query tells.
 */
async function defineMissing(
  db: Surreal,
  names: { readonly namespace: string; readonly database: string },
  signedIn: SignIn,
): Promise<void> {
  if ('token' in signedIn || signedIn.database !== undefined) return
  try {
    await define(db, names, signedIn.namespace === undefined ? ['namespace', 'database'] : ['database'])
  } catch (error) {
    if (!isNotPermitted(error)) throw error
  }
}
