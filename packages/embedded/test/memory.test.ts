import { availableParallelism } from 'node:os'
import { eventually, freshDir, ownMemory } from '@procref/testing'
import { Surreal } from 'surrealdb'
import { test } from 'vitest'
import { WebSocket } from 'ws'
import { commonMb } from './load/memory.ts'
import { RawClient } from './raw-client.ts'
import { PASSWORD, startEmbedded, USER } from './server.ts'

const MB = 1 << 20

/** What a sign-in takes for a moment. */
const SIGN_IN_MB = 19

test.runIf(process.platform === 'linux')(
  'clients that come and go leave no gaps in the memory of the engine',
  async () => {
    await using server = await startEmbedded({ storage: 'rocksdb', databaseDir: `${freshDir()}/db` })
    const visits = async (count: number): Promise<void> => {
      for (let visit = 0; visit < count; visit++) await comeAndGo(server.port, visit)
    }
    await visits(5)
    const before = ownMemory(server.child.pid) / MB
    await visits(20)
    // It was about one sign-in for each of them; some that is kept for the next time is no leak, and what is given back takes a while.
    await eventually('it is given back', () => ownMemory(server.child.pid) / MB - before < 4 * SIGN_IN_MB)
  },
)

/** For each of the engine's threads. With a thousand pieces of each size that it may keep at hand it was 4 MB and more. */
const AT_HAND_MB = 3 * Math.max(8, 2 * availableParallelism())
const IN_FLIGHT = 16
/** It works with values of many sizes, in many threads. */
const MANY_PIECES =
  'SELECT by, o.a AS a, string::len(text) AS l FROM array::range(0, 60).map(|$i| { by: $i, text: "abcdefghij", o: { a: $i } }) WHERE by % 3 = 0 ORDER BY a'

test.runIf(process.platform === 'linux')(
  'the threads of the engine keep little memory at hand, however many queries there were',
  async () => {
    await using server = await startEmbedded({ storage: 'memory' })
    await using client = await RawClient.root(server.port)
    const before = commonMb(server.child.pid)
    for (let asked = 0; asked < 2_000; asked += IN_FLIGHT)
      await Promise.all(Array.from({ length: IN_FLIGHT }, () => client.query(MANY_PIECES)))
    await eventually('the rest is given back', () => commonMb(server.child.pid) - before < AT_HAND_MB)
  },
)

async function comeAndGo(port: number, visit: number): Promise<void> {
  const db = new Surreal({ websocketImpl: WebSocket as never })
  await db.connect(`ws://127.0.0.1:${port}`, { reconnect: false, versionCheck: false })
  try {
    await db.signin({ username: USER, password: PASSWORD })
    await db.use({ namespace: 'main', database: 'main' })
    for (let n = 0; n < 10; n++)
      await db.query('UPSERT type::record("row", $n) SET text = $text', { n: visit * 10 + n, text: 'x'.repeat(200) })
  } finally {
    await db.close()
  }
}
