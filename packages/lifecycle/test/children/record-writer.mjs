// Replaces the record at argv[2] again and again, as the guardian with the nonce argv[3].
import { obey, say } from '@procref/testing/child'
import { ServerRecordFile } from '../../dist/state/server-record.js'

const [, , path = '', nonce = ''] = process.argv
const file = new ServerRecordFile(path, nonce)
const identity = { pid: process.pid, startTicks: '1', bootId: 'boot', pidNamespace: '', netNamespace: '' }
const descriptor = { module: 'file:///x.js', factory: 'x', options: null }

function write(epoch) {
  file.write({
    protocol: 1,
    procref: '0.0.0',
    state: 'serving',
    epoch,
    nonce,
    at: new Date().toISOString(),
    guardian: identity,
    host: '127.0.0.1',
    port: 1,
    durable: true,
    // Of changing length, so that an overwritten file would show.
    driver: { name: 'x'.repeat(1 + (epoch % 5000)), descriptor, settings: {} },
    backend: { name: 'x', descriptor },
    settings: { lingerMs: 0, crashLoop: { starts: 5, withinMs: 1 } },
    starts: [],
  })
}

obey({
  start: () => {
    let epoch = 1
    write(epoch)
    say('started')
    const turn = () => {
      for (let i = 0; i < 20; i++) write(++epoch)
      setImmediate(turn)
    }
    turn()
  },
})
