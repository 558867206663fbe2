import { type McpServer, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js'
import { log, type Store, type Subscriptions } from '@procref/example-gsc'
import { plainTouched } from './link-tools.ts'
import { linksOf } from './links.ts'
import { plainLink } from './shapes.ts'
import { listSpecs, readSpec } from './specs.ts'
import { touchedByIndex } from './touched.ts'

const MIME = 'application/json'
const TOUCHED = 'gspec://touched'
const SPEC = 'gspec://spec/'

/** What a client can read, and subscribe to, without calling a tool. */
export function addResources(server: McpServer, store: Store): void {
  server.registerResource(
    'touched',
    TOUCHED,
    {
      title: 'Touched specifications',
      description: 'Changes when the index does and a linked symbol with it',
      mimeType: MIME,
    },
    async (uri) => contents(uri, await touchedNow(store)),
  )
  server.registerResource(
    'spec',
    new ResourceTemplate(`${SPEC}{id}`, {
      list: async () => ({
        resources: (await listSpecs(store, undefined)).map(({ id, title }) => ({
          uri: SPEC + id,
          name: id,
          title,
          mimeType: MIME,
        })),
      }),
    }),
    { title: 'A specification', description: 'Its text and its links', mimeType: MIME },
    async (uri, { id }) => {
      const spec = await readSpec(store, String(id))
      return contents(uri, { spec, links: (await linksOf(store, [spec.id])).map(plainLink) })
    },
  )
}

/** Tells the client what it subscribed to, when the database has news. */
export class Announcer {
  readonly #subscriptions: Subscriptions
  #last: string | undefined
  #running: Promise<void> | undefined
  #again = false

  constructor(subscriptions: Subscriptions) {
    this.#subscriptions = subscriptions
  }

  /** Specifications or links were written, by whoever. */
  specsChanged(): void {
    this.#subscriptions.changed((uri) => uri.startsWith(SPEC))
  }

  /** Something was written that can change which specifications are touched. Never rejects; news while we look makes us look again. */
  lookForTouched(store: Store): void {
    if (this.#running !== undefined) {
      this.#again = true
      return
    }
    this.#running = this.#look(store)
      .catch((error: Error) => {
        if (!store.closed) log(`touched specifications: ${error.message}`)
      })
      .finally(() => {
        this.#running = undefined
        if (!this.#again || store.closed) return
        this.#again = false
        this.lookForTouched(store)
      })
  }

  async #look(store: Store): Promise<void> {
    const now = JSON.stringify(await touchedNow(store))
    const before = this.#last
    this.#last = now
    if (before !== undefined && before !== now) this.#subscriptions.changed((uri) => uri === TOUCHED)
  }
}

async function touchedNow(store: Store): Promise<object> {
  return { touched: (await touchedByIndex(store)).map(plainTouched) }
}

function contents(uri: URL, value: object): { contents: { uri: string; mimeType: string; text: string }[] } {
  return { contents: [{ uri: uri.href, mimeType: MIME, text: JSON.stringify(value, undefined, 2) }] }
}
