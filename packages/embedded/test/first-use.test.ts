import { freshDir } from '@procref/testing'
import { expect, test } from 'vitest'
import { RawClient } from './raw-client.ts'
import { startEmbedded } from './server.ts'

const CLIENTS = 16
const ROUNDS = 10

/** Of several that make a namespace at the same moment all but one have a conflict, and their clients have asked for nothing unusual. */
test.each(['before', 'after'])(
  'a namespace that many select at once, %s they sign in, is selected for all',
  async (when) => {
    await using server = await startEmbedded({ storage: 'rocksdb', databaseDir: `${freshDir()}/db` })
    await using first = await RawClient.root(server.port)
    const token = await first.result('signin', [{ user: 'root', pass: 'secret' }])
    for (let round = 0; round < ROUNDS; round++) {
      const clients = await Promise.all(Array.from({ length: CLIENTS }, () => RawClient.connect(server.port)))
      const place = [`ns_${round}`, `db_${round}`]
      const selected = await Promise.all(
        clients.map(async (client) => {
          const steps = [() => client.result('use', place), () => client.result('authenticate', [token])]
          for (const step of when === 'before' ? steps : steps.reverse()) await step()
          return (await client.query('RETURN [$session.ns, $session.db]'))[0]
        }),
      )
      expect(selected).toEqual(Array(CLIENTS).fill(place))
      await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()))
    }
  },
)
