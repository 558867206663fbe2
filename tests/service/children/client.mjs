// A client as the tests start many of: args: dir, then JSON options. One word a line on stdin, see below.
import { embeddedSurreal } from '@procref/embedded'
import { flock } from '@procref/flock'
import { connect, surrealBinary } from '@procref/lifecycle'
import { isNativeCodeHere, native } from '@procref/native'
import { obey, say, sayFailed } from '@procref/testing/child'
import { stoppingBackend, stoppingDriver } from './stops.mjs'

const [, , dir, json = '{}'] = process.argv
const { driver = 'binary', storage = 'rocksdb', sync, capabilities, backend, stops, ...options } = JSON.parse(json)
const DRIVERS = { binary: surrealBinary, embedded: embeddedSurreal }

/** By name, as the command knows it: also a phase of a migration. */
async function knownBackend(name) {
  const { backendByName } = await import('../../../packages/procref/dist/choose-backend.js')
  return await backendByName(name)
}

/**
 * What `procref` takes by itself. Clients that are stopped on purpose use flock() always, so that holders and guardians of both kinds
 * meet in one directory.
 */
function usualBackend() {
  return isNativeCodeHere() ? native() : flock()
}

async function chosenBackend() {
  if (stops !== undefined) return stoppingBackend({ stops })
  return backend === undefined ? usualBackend() : await knownBackend(backend)
}

/** Writes row after row until told to stop; only what the server acknowledged is counted. */
async function writeRows(db, told) {
  let acknowledged = 0
  while (!told.stop) {
    try {
      await db.query(`CREATE row:p${process.pid}_${acknowledged} SET p = ${process.pid}, n = ${acknowledged}`)
    } catch (error) {
      // The connection dropped with the write in flight: it may have been carried out, so it may exist already.
      if (/already exists/.test(String(error))) acknowledged++
      await new Promise((resolve) => setTimeout(resolve, 50))
      continue
    }
    acknowledged++
    say('acknowledged', { rows: acknowledged })
    if (acknowledged === 20) say('writing')
  }
  say('wrote', { acknowledged })
}

try {
  const lease = await connect({
    ...(dir !== '' && { dir }),
    backend: await chosenBackend(),
    driver:
      stops === undefined
        ? DRIVERS[driver]({ storage, sync, capabilities })
        : stoppingDriver({ stops, driver, storage }),
    timeoutMs: 100_000,
    onProgress: ({ step }) => say('progress', { step }),
    ...options,
  })
  const told = { stop: false }
  lease.lost.addEventListener('abort', () =>
    say('lost', { code: lease.lost.reason?.code, text: lease.lost.reason?.message }),
  )
  lease.onReconnect(({ epoch, server }) => say('reconnected', { epoch, port: server.port, serverPid: server.pid }))
  const { pid: serverPid, guardianPid, port, durable } = lease.server
  say('connected', {
    slot: lease.slot.id,
    slotPath: lease.slot.path,
    epoch: lease.epoch,
    serverPid,
    guardianPid,
    port,
    durable,
  })
  obey({
    write: () => void writeRows(lease.db, told),
    stop() {
      told.stop = true
    },
    async count() {
      const [, rows] = await lease.db.query('DEFINE TABLE IF NOT EXISTS row; SELECT VALUE id FROM row').retry()
      say('counted', { rows: rows.length })
    },
    async row() {
      // The first rows make the table, too, and get in each other's way.
      await lease.db.query('CREATE row SET by = $pid', { pid: process.pid }).retry()
      say('row')
    },
    sleep() {
      lease.db.query('SLEEP 12s').catch(() => {})
      say('sleeping')
    },
    async rows() {
      const [rows] = await lease.db.query('SELECT p, count() AS c, math::max(n) AS last FROM row GROUP BY p')
      say('rows', { rows })
    },
    async slot() {
      await lease.slot.verify()
      say('slot', { slot: lease.slot.id, path: lease.slot.path })
    },
    async close() {
      await lease.close()
      say('closed')
    },
  })
} catch (error) {
  sayFailed(error)
  process.exitCode = 1
}
