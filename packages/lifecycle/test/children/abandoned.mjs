// Asks for a lease with endWith argv[3] on the directory argv[2], is abandoned while it is made, and says what came of it.
import { once } from 'node:events'
import { flock } from '@procref/flock'
import { say, sayFailed } from '@procref/testing/child'
import { command, sharedService } from '../../dist/index.js'

const LISTENS = "require('node:net').createServer((socket) => socket.end()).listen(process.argv[1], '127.0.0.1')"
const [, , dir = '', endWith = ''] = process.argv
const parent = process.ppid

/** Called by connect() itself, which therefore stands still. */
function untilParentIsGone() {
  say('connecting')
  const nothing = new Int32Array(new SharedArrayBuffer(4))
  while (process.ppid === parent) Atomics.wait(nothing, 0, 0, 10)
}

if (endWith === 'stdin') await once(process.stdin.resume(), 'end')
try {
  const lease = await sharedService({
    dir,
    backend: flock(),
    driver: command({ file: process.execPath, args: ['-e', LISTENS, '{port}'], ready: { kind: 'tcp' } }),
    lingerMs: 10,
    endWith,
    onProgress: ({ step }) => {
      if (endWith === 'parent' && step === 'launching') untilParentIsGone()
    },
  })
  say('leased')
  await lease.close()
} catch (error) {
  if (error.code === 'PROCREF_LEASE_LOST') say('refused', { reason: error.message })
  else sayFailed(error)
}
