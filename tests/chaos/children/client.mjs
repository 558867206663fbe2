// A client of the chaos. Its argument: JSON, see ../client.ts. One word a line on stdin.
import { embeddedSurreal } from '@procref/embedded'
import { flock } from '@procref/flock'
import { connect, surrealBinary } from '@procref/lifecycle'
import { native } from '@procref/native'
import { obey, say } from '@procref/testing/child'

const { dir, name, driver, path, storage, backend, ...options } = JSON.parse(process.argv[2])
const BACKENDS = { flock, native }
const DRIVERS = { binary: surrealBinary, embedded: embeddedSurreal }

/** Between two writes: it is the faults that are to keep the machine busy. */
const PAUSE_MS = 20

/** Row after row, each with a number of its own; what the server has acknowledged is told, and what its storage has refused. Ends with the lease. */
async function write(lease) {
  for (let n = 0; !lease.lost.aborted && !isLeaving; await pause()) {
    try {
      await lease.db.query(`CREATE row:${name}_${n} SET p = "${name}", n = ${n}`)
    } catch (error) {
      const text = String(error)
      // A full disk's: whether it is there is known after the server's next start only (docs/reliability.md), so it is not written again.
      if (/IO error/.test(text)) {
        say('refused-row', { n })
        n++
        continue
      }
      // Of a write whose answer was lost nothing is known, but it may have been carried out: then it exists already.
      if (!/already exists/.test(text)) continue
    }
    say('acknowledged', { n })
    n++
  }
}

function pause() {
  return new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
}

let isLeaving = false

say('calling')
try {
  const lease = await connect({
    dir,
    backend: BACKENDS[backend](),
    driver: DRIVERS[driver]({ storage, ...(path !== undefined && { path }) }),
    label: name,
    ...options,
  })
  const { pid, guardianPid, port } = lease.server
  say('connected', { slot: lease.slot.path, epoch: lease.epoch, serverPid: pid, guardianPid, port })
  lease.onReconnect(({ epoch, server }) =>
    say('reconnected', { epoch, serverPid: server.pid, guardianPid: server.guardianPid, port: server.port }),
  )
  lease.lost.addEventListener('abort', () => {
    const { code, message } = lease.lost.reason ?? {}
    say('lost', { code, message })
    // What is under way ends with the lease; a program that cannot go on ends as well.
    process.exitCode = 3
    process.stdin.destroy()
  })
  obey({
    write: () => void write(lease),
    async leave() {
      isLeaving = true
      await lease.close()
      say('left')
    },
    async rows() {
      const [, rows] = await lease.db.query('DEFINE TABLE IF NOT EXISTS row; SELECT VALUE [p, n] FROM row').retry()
      say('rows', { rows })
    },
  })
} catch (error) {
  const { code, message, stack } = error
  say('refused', { code, message, stack })
  process.exitCode = 1
}
