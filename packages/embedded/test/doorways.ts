import { afterAll, beforeAll } from 'vitest'
import { Doorway } from './auth-cases.ts'
import { bothServers } from './both-servers.ts'

interface Doorways {
  readonly embedded: Doorway
  readonly real: Doorway
}

/** A doorway of each server, with what `more` defines beside the usual: call it once, where there is a real server, outside of the tests. */
export function bothDoorways(more?: string): () => Doorways {
  const server = bothServers()
  const opened: Doorway[] = []
  let doorways: Doorways | undefined
  const open = async (kind: 'embedded' | 'real'): Promise<Doorway> => {
    const doorway = await Doorway.open(server(kind))
    opened.push(doorway)
    if (more !== undefined) await (await doorway.root()).query(more)
    return doorway
  }
  beforeAll(async () => {
    doorways = { embedded: await open('embedded'), real: await open('real') }
  })
  afterAll(async () => {
    for (const doorway of opened) await doorway[Symbol.asyncDispose]()
  })
  return () => {
    if (doorways === undefined) throw new Error('the doorways are opened before the first test')
    return doorways
  }
}
