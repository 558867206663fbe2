// A guardian that spawns a server and is gone at once. Arguments: pause in microseconds, log file. Descriptor 3 is passed on.
import { openSync } from 'node:fs'
import { spawnServer } from '../../dist/guardian/spawn-server.js'

const [, , pauseMicroseconds, log] = process.argv
const plan = { file: '/bin/sleep', args: ['600'], env: {} }
const logFd = openSync(log, 'a')
spawnServer({ plan, logFd, lockFd: 3, nonce: 'short-guardian' })
const end = process.hrtime.bigint() + BigInt(pauseMicroseconds) * 1000n
while (process.hrtime.bigint() < end);
process.kill(process.pid, 'SIGKILL')
