// A client as the tests start many of: args: dir, then JSON options. One word a line on stdin, see below.
import { embeddedSurreal } from '@procref/embedded'
import { flock } from '@procref/flock'
import { command, connect, external, sharedService, surrealBinary } from '@procref/lifecycle'
import { isNativeCodeHere, native } from '@procref/native'
import { obey, say, sayFailed } from '@procref/testing/child'
import { leaveDescriptors } from './few-descriptors.mjs'
import { engineWithoutData, hinderedEngine } from './hindered-engine.mjs'
import { stoppingBackend, stoppingDriver } from './stops.mjs'

const [, , dir, json = '{}'] = process.argv
const {
  driver = 'binary',
  storage = 'rocksdb',
  sync,
  capabilities,
  url,
  pingMs,
  rowBytes = 0,
  backend,
  stops,
  sign,
  spareDescriptors,
  // Stops itself (SIGSTOP) when it has a lease, before it has dialled the server.
  standsStill = false,
  // Without one it only has the lease, as `procref run` and the keeper have.
  connection = true,
  // What the word `visits` makes: `count` of them, `atOnce` side by side.
  visits,
  ...options
} = JSON.parse(json)
const LISTENS = "require('node:net').createServer((socket) => socket.end()).listen(process.argv[1], '127.0.0.1')"
const DRIVERS = {
  binary: surrealBinary,
  embedded: embeddedSurreal,
  hindered: () => hinderedEngine({ sign }),
  withoutData: () => engineWithoutData({ sign }),
  // Nothing but a port, on which a process listens that the server only waits for.
  wrapper: () =>
    command({
      file: 'sh',
      args: ['-c', '"$0" -e "$1" "$2"; exit $?', process.execPath, LISTENS, '{port}'],
      ready: { kind: 'tcp' },
    }),
  // By the environment: an argument would be seen by everybody.
  external: () =>
    external({ url, credentials: JSON.parse(process.env.EXTERNAL_CREDENTIALS), ...(pingMs && { pingMs }) }),
}

/** Once: the SDK is loaded next, file after file. */
let standStill = standsStill
  ? () => {
      standStill = () => {}
      setTimeout(() => process.kill(process.pid, 'SIGSTOP'), 0)
    }
  : () => {}

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
  const text = 'x'.repeat(rowBytes)
  let acknowledged = 0
  while (!told.stop) {
    try {
      const id = `row:p${process.pid}_${acknowledged}`
      await db.query(`CREATE ${id} SET p = ${process.pid}, n = ${acknowledged}, text = $text`, { text })
    } catch (error) {
      // The connection dropped with the write in flight: it may have been carried out, so it may exist already.
      if (/already exists/.test(String(error))) acknowledged++
      await new Promise((resolve) => setTimeout(resolve, 50))
      continue
    }
    acknowledged++
    say('acknowledged', { rows: acknowledged, at: Date.now() })
    if (acknowledged === 20) say('writing')
  }
  say('wrote', { acknowledged })
}

const VISIT_ROWS = 10
const VISIT_TEXT = 'x'.repeat(200)
/** Rows of older visits are deleted, so that the database does not grow. */
const KEPT_MS = 60_000
/** With many visits a second. */
const SHORTLY_KEPT_MS = 2_000
/** Of one statement, while servers die under it: each takes some seconds to come back. */
const VISIT_TRIES = 300

/**
 * Writes, reads back and deletes what is old, as a short-lived program does; whatever dies meanwhile, it goes on. Each statement can be sent twice: ids
 * are given. `by`: of no other visit.
 */
async function visit(db, { by = process.pid, keptMs = KEPT_MS } = {}) {
  let repeated = 0
  const surely = async (query, params) => {
    for (let tries = 1; ; tries++) {
      try {
        return await db.query(query, params).retry()
      } catch (error) {
        if (tries === VISIT_TRIES) throw error
        repeated++
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    }
  }
  for (let n = 0; n < VISIT_ROWS; n++) {
    const params = { id: `${by}_${n}`, by, at: Date.now(), text: VISIT_TEXT }
    await surely('UPSERT type::record("visit", $id) CONTENT { by: $by, at: $at, text: $text }', params)
  }
  const [own] = await surely('SELECT VALUE at FROM visit WHERE by = $by', { by })
  await surely('DELETE visit WHERE at < $before', { before: Date.now() - keptMs })
  const [all] = await surely('SELECT VALUE id FROM visit')
  return { wrote: VISIT_ROWS, read: own.length, rows: all.length, repeated }
}

let visitsBegun = 0

/** As many programs that come and go, but for their starts: for each visit a slot and a connection of its own. */
async function visitOften(come) {
  let left = visits.count
  const sum = { wrote: 0, read: 0, repeated: 0 }
  const some = Array.from({ length: visits.atOnce }, async () => {
    while (left-- > 0) {
      const own = await come()
      try {
        const by = `${process.pid}_${visitsBegun++}`
        const seen = await visit(own.db, { by, keptMs: SHORTLY_KEPT_MS })
        for (const what of Object.keys(sum)) sum[what] += seen[what]
      } finally {
        await own.close()
      }
    }
  })
  await Promise.all(some)
  say('visitedOften', sum)
}

try {
  const slots = await chosenBackend()
  if (spareDescriptors !== undefined) leaveDescriptors(spareDescriptors)
  const come = connection ? connect : sharedService
  const how = {
    ...(dir !== '' && { dir }),
    backend: slots,
    driver:
      stops === undefined
        ? DRIVERS[driver]({ storage, sync, capabilities })
        : stoppingDriver({ stops, driver, storage }),
    timeoutMs: 100_000,
    ...options,
  }
  const lease = await come({
    ...how,
    onProgress({ step }) {
      say('progress', { step })
      if (step === 'connecting') standStill()
    },
  })
  const told = { stop: false }
  let tries = 0
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
    async tryRow() {
      const n = tries++
      const refused = await lease.db.query(`CREATE tried:${n} SET n = ${n}`).then(
        () => undefined,
        (error) => String(error),
      )
      say('tried', { n, refused })
    },
    async tried() {
      // Reads only: nothing else can be done on a full disk.
      const [rows] = await lease.db.query('SELECT VALUE n FROM tried')
      say('found', { rows })
    },
    visit: async () => say('visited', await visit(lease.db)),
    visits: () => visitOften(() => come(how)),
    async sleep() {
      await lease.db.query('DEFINE TABLE IF NOT EXISTS asleep').retry()
      lease.db.query('CREATE asleep:one; SLEEP 12s').catch(() => {})
      for (let rows = []; rows.length === 0; ) [rows] = await lease.db.query('SELECT VALUE id FROM asleep').retry()
      say('sleeping')
    },
    async rows() {
      const perWriter = 'SELECT p, count() AS c, math::max(n) AS last FROM row GROUP BY p'
      const [, rows] = await lease.db.query(`DEFINE TABLE IF NOT EXISTS row; ${perWriter}`).retry()
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
