import { Surreal } from 'surrealdb'
import WebSocket from 'ws'
import type { Login } from './open-client.ts'

/** What connecting costs at least: the official SDK, to a server that runs. */
export async function connectBare({ url, user, password }: Login): Promise<Surreal> {
  // The SDK uses the part of WebSocket that `ws` has; their declarations come from different libraries.
  const db = new Surreal({ websocketImpl: WebSocket as unknown as typeof globalThis.WebSocket })
  await db.connect(url, {
    namespace: 'main',
    database: 'main',
    versionCheck: false,
    authentication: { username: user, password },
  })
  return db
}
