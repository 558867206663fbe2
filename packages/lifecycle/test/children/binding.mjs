// Says how a server would be bound here, spawns one all the same, and says how that ended.
import { openSync } from 'node:fs'
import { say } from '@procref/testing/child'
import { serverBinding, spawnServer } from '../../dist/guardian/spawn-server.js'

const plan = { file: '/bin/sh', args: ['-c', 'exit 7'], env: {} }
const { ended } = spawnServer({ plan, logFd: openSync('/dev/null', 'a'), nonce: 'binding' })
say('bound', { binding: serverBinding(), end: await ended })
