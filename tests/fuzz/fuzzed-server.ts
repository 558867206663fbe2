import { readdirSync } from 'node:fs'
import { eventually } from '@procref/testing'
import { RawClient } from '../../packages/embedded/test/raw-client.ts'
import { startEmbedded, type TestServer } from '../../packages/embedded/test/server.ts'

const ROWS = 3
/** What connections that have gone may still have. */
const SPARE_DESCRIPTORS = 20
/** Of everybody together, for messages that have not arrived in full, and as much again for what is made of them. */
const MOST_MIB = 1_200

/**
 * The embedded server in a process of its own, and somebody else who uses it, to whom nothing may happen. One that was ended is a finding
 * once; the next input gets a new one.
 */
export class FuzzedServer implements AsyncDisposable {
  #server: TestServer | undefined
  #witness: RawClient | undefined
  #descriptors = 0

  /** Its port; started if there is none. */
  async port(): Promise<number> {
    if (this.#server !== undefined) return this.#server.port
    this.#server = await startEmbedded()
    this.#witness = await RawClient.root(this.#server.port)
    await this.#witness.query(`CREATE |canary:${ROWS}| RETURN NONE`)
    this.#descriptors = this.#countDescriptors()
    return this.#server.port
  }

  /** Goes on, and answers others; `unharmed`: who has not signed in has changed nothing. */
  async check(unharmed: 'and has all its rows' | 'whatever is in it'): Promise<void> {
    const { text } =
      unharmed === 'and has all its rows' ? { text: 'RETURN count(SELECT * FROM canary)' } : { text: 'RETURN 3' }
    try {
      const [rows] = (await this.#witness?.query(text)) ?? []
      if (rows !== ROWS) throw new Error(`somebody else sees ${String(rows)} instead of ${ROWS}`)
    } catch (error) {
      const printed = this.#server?.child.stderr().slice(-2_000)
      await this.#end()
      throw new Error(`the server does not answer somebody else as before; it printed ${JSON.stringify(printed)}`, {
        cause: error,
      })
    }
  }

  /** The connections that are closed have left nothing behind. */
  async settle(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    await eventually(
      'its connections are closed',
      () => this.#countDescriptors() <= this.#descriptors + SPARE_DESCRIPTORS,
    )
    server.child.send('rss')
    const { mib } = await server.child.event<{ mib: number }>('rss')
    if (mib > MOST_MIB) throw new Error(`it has ${mib} MiB in the end`)
    const printed = server.child.stderr()
    if (/unhandled|panicked|uncaught/i.test(printed)) throw new Error(`it printed ${printed.slice(0, 2_000)}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end()
  }

  async #end(): Promise<void> {
    await this.#witness?.[Symbol.asyncDispose]()
    await this.#server?.[Symbol.asyncDispose]()
    this.#witness = undefined
    this.#server = undefined
  }

  #countDescriptors(): number {
    return readdirSync(`/proc/${this.#server?.child.pid}/fd`).length
  }
}
