import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { SubscribeRequestSchema, UnsubscribeRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { log } from './log.ts'

/** The resources that the client wants to hear about. */
export class Subscriptions {
  readonly #server: McpServer
  readonly #uris = new Set<string>()

  /** Call before the server is connected: it announces the capability. */
  constructor(server: McpServer) {
    this.#server = server
    server.server.registerCapabilities({ resources: { subscribe: true } })
    server.server.setRequestHandler(SubscribeRequestSchema, ({ params }) => {
      this.#uris.add(params.uri)
      return {}
    })
    server.server.setRequestHandler(UnsubscribeRequestSchema, ({ params }) => {
      this.#uris.delete(params.uri)
      return {}
    })
  }

  /** Tells the client that these resources have changed, those of them it subscribed to. Never rejects. */
  changed(matches: (uri: string) => boolean): void {
    for (const uri of this.#uris) {
      if (!matches(uri)) continue
      // It fails only when the client has gone; that ends the program elsewhere.
      this.#server.server.sendResourceUpdated({ uri }).catch((error: Error) => log(`${uri}: ${error.message}`))
    }
  }
}
