import { readFileSync } from 'node:fs'
import { freshDir } from '@procref/testing'
import { Surreal } from 'surrealdb'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { PASSWORD, startEmbedded, USER } from './server.ts'

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
    const before = anonymousMb(server.child.pid)
    await visits(20)
    // It was about one sign-in for each of them; some that is kept for the next time is no leak.
    expect(anonymousMb(server.child.pid) - before).toBeLessThan(4 * SIGN_IN_MB)
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

function anonymousMb(pid: number): number {
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}
