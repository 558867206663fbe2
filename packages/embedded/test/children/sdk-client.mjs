// A program with the official SDK, unmodified: `node sdk-client.mjs PORT [TABLE]`. Watches a table and says what it sees.
import { obey, say, sayFailed } from '@procref/testing/child'
import { Surreal, Table } from 'surrealdb'
import { WebSocket } from 'ws'

const [port, table = 'watched'] = process.argv.slice(2)
const db = new Surreal({ websocketImpl: WebSocket })

async function start() {
  await db.connect(`ws://127.0.0.1:${port}/rpc`, {
    namespace: 'main',
    database: 'main',
    authentication: () => ({ username: 'root', password: 'secret' }),
  })
  await db.query(`DEFINE TABLE IF NOT EXISTS ${table}`)
  const live = await db.live(new Table(table))
  live.subscribe(({ action, recordId, value }) => say('change', { action, recordId: `${recordId}`, value }))
  say('watching', { live: `${live.id}` })
  return live
}

const started = start()
started.catch(sayFailed)

obey({
  kill: async () => {
    await (await started).kill()
    say('killed')
  },
  write: async () => {
    await db.query(`CREATE ${table}:mine SET by = 'watcher'`)
    say('wrote')
  },
  close: async () => {
    await db.close()
    say('closed')
  },
})
