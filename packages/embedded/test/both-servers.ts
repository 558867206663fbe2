import { afterAll, beforeAll } from 'vitest'
import { startEmbedded, startReal, type TestServer } from './server.ts'

export type Kind = TestServer['kind']

/** The embedded server, and the real one if there is one, for the tests of one file: call it once, outside of them. */
export function bothServers(): (kind: Kind) => TestServer {
  const servers = new Map<Kind, TestServer>()
  beforeAll(async () => {
    for (const start of [startEmbedded, startReal]) {
      const server = await start()
      if (server !== undefined) servers.set(server.kind, server)
    }
  })
  afterAll(async () => {
    for (const server of servers.values()) await server[Symbol.asyncDispose]()
  })
  return (kind) => {
    const server = servers.get(kind)
    if (server === undefined) throw new Error(`there is no ${kind} server`)
    return server
  }
}
