// One of several clients of a program: a worker thread, or a process made by fork() or cluster. Talks to the program by messages.
import { parentPort, workerData } from 'node:worker_threads'
import { connect } from 'procref'

const [dir, json] = workerData ?? process.argv.slice(2)
const tell = (event, more = {}) =>
  parentPort === null ? process.send({ event, ...more }) : parentPort.postMessage({ event, ...more })

// A process outlives the one that forked it, and holds its lease on, unless it does something about it.
process.on('disconnect', () => process.exit())
const lease = await connect({ dir, lingerMs: 500, timeoutMs: 60_000, ...JSON.parse(json) })
lease.onReconnect(({ epoch }) => tell('reconnected', { epoch }))
const obey = {
  async row() {
    await lease.db.query('CREATE row').retry()
    tell('row')
  },
  async close() {
    await lease.close()
    tell('closed')
  },
}
;(parentPort ?? process).on('message', (word) => obey[word]())
tell('connected', { slot: lease.slot.id, epoch: lease.epoch, guardianPid: lease.server.guardianPid })
