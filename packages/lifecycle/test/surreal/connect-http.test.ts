import { rmSync, writeFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { flock } from '@procref/flock'
import { atEnd, endDirectory, eventually, freshDir, mustBlock } from '@procref/testing'
import { expect, onTestFinished, test } from 'vitest'
import { command, connectHttp } from '../../dist/index.js'
import { layout } from '../../dist/state/layout.js'
import { readServerRecord } from '../../dist/state/server-record.js'

/** Listens once the file argv[2] is not there. */
const LISTENS = `
const { existsSync } = require('node:fs')
const server = require('node:http').createServer((asked, answer) => answer.end('answered'))
const timer = setInterval(() => {
  if (existsSync(process.argv[2])) return
  clearInterval(timer)
  server.listen(process.argv[1], '127.0.0.1')
}, 20)`

// the server is killed, and the next one does not come up
// a request waits for it
// it is called off
test('a request that waits for a server that is being replaced ends when it is told to, and the lease goes on', async () => {
  const dir = `${freshDir()}/service`
  onTestFinished(async () => await endDirectory(dir))
  const closed = `${freshDir()}/closed`
  const driver = command({ file: process.execPath, args: ['-e', LISTENS, '{port}', closed], ready: { kind: 'tcp' } })
  const http = atEnd(await connectHttp({ dir, backend: flock(), driver, lingerMs: 10, timeoutMs: 60_000 }))
  const { serverJson, credentialsJson } = layout(dir)
  writeFileSync(credentialsJson, JSON.stringify({ user: 'somebody', password: 'secret' }), { mode: 0o600 })
  const ask = async (signal?: AbortSignal): Promise<string> =>
    await text(await http.request({ method: 'GET', path: '/', ...(signal && { signal }) }))
  expect(await ask()).toBe('answered')

  writeFileSync(closed, '')
  process.kill(http.lease.server.pid, 'SIGKILL')
  await eventually('the next server is started', () => {
    const record = readServerRecord(serverJson)
    return record?.epoch === 2 && record.state === 'starting'
  })
  const told = new AbortController()
  const ends = await mustBlock('the request', ask(told.signal))
  told.abort(new Error('enough'))
  await expect(ends()).rejects.toThrow('enough')
  rmSync(closed)
  expect(await ask()).toBe('answered')
})
