import { openSync } from 'node:fs'
import { createServer } from 'node:net'
import { obey, say } from '@procref/testing/child'

const server = createServer()

obey({
  listen: () =>
    new Promise((resolve) => server.listen(0, '127.0.0.1', resolve)).then(() => say('listening', server.address())),
  open: () => say('opened', { fd: openSync(process.argv[2] ?? '', 'a') }),
  text: () => process.stdout.write('plain text\n{"slot":3}\n'),
  crash: () => {
    throw Object.assign(new Error('on purpose'), { code: 'ON_PURPOSE' })
  },
  uid: () => say('uid', { uid: process.getuid?.(), home: process.env.HOME ?? null }),
  leave: () => process.exit(7),
})
say('ready')
