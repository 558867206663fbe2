import { surrealBinary } from '@procref/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { contentOf, dumpOf, fill, PARTS, readDump } from './dump-database.ts'
import { DUMP_DIFFERENCES } from './dump-differences.ts'
import { Referee } from './referee.ts'
import { startEmbedded, startReal, type TestServer } from './server.ts'

type Content = ReadonlyMap<string, unknown>

/** What a server holds: what it was filled with, and what it read from its own dump and from that of the other. */
interface Held {
  readonly own: Content
  readonly fromEmbedded: Content
  readonly fromReal: Content
  readonly failures: { readonly fromEmbedded: readonly string[]; readonly fromReal: readonly string[] }
}

describe.runIf(surrealBinary() !== undefined)('a dump of one server, read by the same and by the other', () => {
  const servers: TestServer[] = []
  let embedded: Held
  let real: Held

  beforeAll(async () => {
    // It could not read the files of its own dumps otherwise.
    for (const start of [startEmbedded, () => startReal({ experimental: 'files' })]) {
      const server = await start()
      if (server === undefined) throw new Error('there is no real server')
      servers.push(server)
      await fill(server, 'own')
    }
    const [ours, theirs] = servers as [TestServer, TestServer]
    const dumps = [await dumpOf(ours, 'own'), await dumpOf(theirs, 'own')] as const
    embedded = await held(ours, ...dumps)
    real = await held(theirs, ...dumps)
  }, 120_000)

  afterAll(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]()
  })

  const referee = new Referee('dump', 'Exports and imports, on one server and between both', DUMP_DIFFERENCES)

  test.each(PARTS)('%s: made by statements', (part) => {
    referee.judge(`${part}: made by statements`, embedded.own.get(part), real.own.get(part))
  })

  test.each(PARTS)('%s: there and back', (part) => {
    referee.judge(`${part}: there and back`, embedded.fromEmbedded.get(part), real.fromReal.get(part))
  })

  test.each(PARTS)('%s: from embedded to real', (part) => {
    referee.judge(`${part}: from embedded to real`, embedded.own.get(part), real.fromEmbedded.get(part))
  })

  test.each(PARTS)('%s: from real to embedded', (part) => {
    referee.judge(`${part}: from real to embedded`, embedded.fromReal.get(part), real.own.get(part))
  })

  test.each(['fromEmbedded', 'fromReal'] as const)('what fails in an import: %s', (from) => {
    referee.judge(`what fails in an import: ${from}`, embedded.failures[from], real.failures[from])
  })

  test('every part is there', () => {
    expect([...embedded.own.keys()]).toEqual(PARTS)
  })

  test('what differs is known', () => referee.settle(4 * PARTS.length + 2))
})

async function held(server: TestServer, dumpOfEmbedded: Buffer, dumpOfReal: Buffer): Promise<Held> {
  // An answer of `contentOf` may count something up: `own` is looked at once, after it was dumped.
  const own = await contentOf(server, 'own')
  const fromEmbedded = await readDump(server, 'from_embedded', dumpOfEmbedded)
  const fromReal = await readDump(server, 'from_real', dumpOfReal)
  return {
    own,
    fromEmbedded: await contentOf(server, 'from_embedded'),
    fromReal: await contentOf(server, 'from_real'),
    failures: { fromEmbedded, fromReal },
  }
}
