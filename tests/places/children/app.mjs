// A program as people bundle them: no top-level await, so that it can be CommonJS as well. Arguments: dir, then JSON options of connect().
import { appendFileSync, existsSync } from 'node:fs'
import { obey, say, sayFailed } from '@procref/testing/child'
import { connect } from 'procref'

async function main() {
  const [dir, json = '{}'] = process.argv.slice(2)
  // Other arguments are those of a guardian, for which this program was started by mistake: it ignores them, as any program would.
  const options = json.startsWith('{') ? { dir, ...JSON.parse(json) } : {}
  const lease = await connect({ lingerMs: 500, timeoutMs: 60_000, ...options })
  lease.lost.addEventListener('abort', () => say('lost', { code: lease.lost.reason?.code }))
  lease.onReconnect(({ epoch, server }) => say('reconnected', { epoch, port: server.port, serverPid: server.pid }))
  const { pid: serverPid, guardianPid, port, driver } = lease.server
  say('connected', { slot: lease.slot.id, epoch: lease.epoch, serverPid, guardianPid, port, driver })
  obey({
    async row() {
      await lease.db.query('CREATE row SET by = $pid', { pid: process.pid }).retry()
      say('row')
    },
    async count() {
      const [, rows] = await lease.db.query('DEFINE TABLE IF NOT EXISTS row; SELECT VALUE id FROM row').retry()
      say('counted', { rows: rows.length })
    },
    async close() {
      await lease.close()
      say('closed')
    },
  })
}

// Whoever is started as this program is counted where a test wants to know, in whatever environment.
const starts = `${process.argv[1]}.starts`
if (existsSync(starts)) appendFileSync(starts, `${process.pid}\n`)
main().catch((error) => {
  sayFailed(error)
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
})
