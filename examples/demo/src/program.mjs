// One of the demo's programs: writes rows, sees everybody's rows live, prints one JSON line per event.
import { connect } from 'procref'
import { Table } from 'surrealdb'

const [, , dir, name, driver] = process.argv
const say = (event, fields = {}) => process.stdout.write(`${JSON.stringify({ event, name, ...fields })}\n`)

const lease = await connect({ dir, driver, label: name, lingerMs: 1_500 })
const { server } = lease
lease.onReconnect(({ epoch, server }) => say('reconnected', { epoch, port: server.port, server: server.pid }))
lease.lost.addEventListener('abort', () => say('lost', { reason: String(lease.lost.reason) }))

// All three define it at once: SurrealDB's transactions are optimistic, so the losers have done nothing and try again. The lease
// does that by itself for live queries only; with all else the program says whether it may be sent twice.
await lease.db.query('DEFINE TABLE IF NOT EXISTS note').retry()
const live = await lease.db.live(new Table('note'))
live.subscribe(({ action, value }) => {
  if (action === 'CREATE' && value.by !== name) say('saw', { by: value.by, text: value.text })
})

// Only now: whoever is told that this program is connected may write, and it will see it.
say('connected', {
  slot: lease.slot.path,
  epoch: lease.epoch,
  port: server.port,
  server: server.pid,
  guardian: server.guardianPid,
})
process.stdin.setEncoding('utf8')
for await (const chunk of process.stdin) {
  for (const line of chunk.split('\n').filter(Boolean)) {
    if (line === 'count') {
      const [texts] = await lease.db.query('SELECT VALUE text FROM note')
      say('counted', { texts })
    } else {
      await lease.db.query('CREATE note SET by = $by, text = $text', { by: name, text: line }).retry()
      // Said only now: the server has acknowledged it.
      say('wrote', { text: line })
    }
  }
}
