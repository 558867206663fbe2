import { getEventListeners } from 'node:events'
import { writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { atEnd, type Child, eventually, freePort, freshDir, mustBlock, startChild, within } from '@procref/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { tcpAccepts } from '../../dist/wait/tcp.js'
import { rebuildWait, type WaitContext, type WaitDescriptor, waitUntilReady } from '../../dist/wait/wait.js'

interface Speaker {
  readonly child: Child
  readonly context: WaitContext
  readonly stop: AbortController
  tell(words: string): Promise<void>
}

/** A server that is not ready for anything yet. */
async function startSpeaker(): Promise<Speaker> {
  const logFile = `${freshDir()}/server.log`
  const before = 'listening, said an earlier server\n'
  writeFileSync(logFile, before)
  const child = atEnd(startChild(new URL('../children/speaker.mjs', import.meta.url), { env: { LOG: logFile } }))
  const stop = new AbortController()
  const context = {
    host: '127.0.0.1',
    port: await freePort(),
    logFile,
    logStart: before.length,
    ended: child.exited,
    signal: stop.signal,
  }
  const tell = async (words: string): Promise<void> => {
    child.send(words)
    await child.event('done')
  }
  return { child, context, stop, tell }
}

interface Way {
  readonly descriptor: WaitDescriptor
  readonly notReady: readonly string[]
  readonly ready: string
  readonly what: RegExp
}

/** For each: what a server does before it counts as ready, what makes it ready, and what the message calls it. */
const ways: Readonly<Record<string, (port: number) => Way>> = {
  tcp: (port) => ({ descriptor: { kind: 'tcp' }, notReady: [], ready: `listen ${port}`, what: /accept connections/ }),
  http: (port) => ({
    descriptor: { kind: 'http', path: '/health' },
    notReady: [`http ${port}`, 'status 503'],
    ready: 'status 204',
    what: /GET \/health/,
  }),
  'http with another status': (port) => ({
    descriptor: { kind: 'http', path: '/login', status: 401 },
    notReady: [`http ${port}`, 'status 200'],
    ready: 'status 401',
    what: /GET \/login to answer 401/,
  }),
  logLine: () => ({
    descriptor: { kind: 'logLine', pattern: '^listening' },
    notReady: ['print not listening'],
    ready: 'print listening now',
    what: /matches \/\^listening\//,
  }),
}

describe.each(Object.keys(ways))('waiting by %s', (name) => {
  async function start(): Promise<Speaker & Way & { readonly waiting: Promise<void> }> {
    const speaker = await startSpeaker()
    const way = ways[name]?.(speaker.context.port) ?? expect.unreachable()
    // As the guardian does it: from what was sent to it as JSON.
    const strategy = rebuildWait(JSON.parse(JSON.stringify(way.descriptor)))
    const waiting = waitUntilReady(strategy, speaker.context)
    waiting.catch(() => {})
    return { ...speaker, ...way, waiting }
  }

  test('resolves when the server is ready, and not before', async () => {
    const { tell, notReady, ready, waiting } = await start()
    for (const words of notReady) await tell(words)
    const becomesReady = await mustBlock('waiting', waiting)
    await tell(ready)
    await becomesReady()
  })

  test('says what it waited for and what it saw last when it is aborted, with the reason as its cause', async () => {
    const { stop, what, waiting } = await start()
    await mustBlock('waiting', waiting)
    const reason = new Error('enough')
    stop.abort(reason)
    const error = await within(
      'the end of the wait',
      waiting.catch((error: unknown) => error),
    )
    expect(error).toMatchObject({
      code: 'PROCREF_SERVER_NOT_READY',
      cause: reason,
      message: expect.stringMatching(what),
    })
    expect((error as Error).message).toMatch(/seen: .*(ECONNREFUSED|last line|nothing yet)/)
  })

  test('ends when the server ended instead, with its exit code', async () => {
    const { child, what, waiting } = await start()
    child.send('exit 9')
    const error = await within(
      'the end of the wait',
      waiting.catch((error: unknown) => error),
    )
    expect(error).toMatchObject({
      code: 'PROCREF_SERVER_EXITED',
      end: { code: 9, signal: null },
      message: expect.stringMatching(what),
    })
  })

  test('does not begin when it was aborted before', async () => {
    const { context } = await startSpeaker()
    const way = ways[name]?.(context.port) ?? expect.unreachable()
    const reason = new Error('too late')
    const waiting = waitUntilReady(rebuildWait(way.descriptor), { ...context, signal: AbortSignal.abort(reason) })
    await expect(waiting).rejects.toMatchObject({ cause: reason })
  })
})

/** Accepts connections and never answers on them. */
async function startMute(): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => {}))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

test('a server that accepts and never answers does not keep the wait from its end', async () => {
  const { context, stop } = await startSpeaker()
  const port = await startMute()
  const waiting = waitUntilReady(rebuildWait({ kind: 'http', path: '/' }), { ...context, port })
  waiting.catch(() => {})
  await mustBlock('waiting', waiting)
  stop.abort(new Error('enough'))
  await expect(waiting).rejects.toMatchObject({ code: 'PROCREF_SERVER_NOT_READY' })
})

test('a typed reason why the server ended is what the wait rejects with', async () => {
  const { context } = await startSpeaker()
  const error = Object.assign(new Error('the port is taken'), { code: 'PROCREF_PORT_TAKEN' })
  const ended = Promise.resolve({ code: 1, signal: null, error })
  await expect(waitUntilReady(rebuildWait({ kind: 'tcp' }), { ...context, ended })).rejects.toBe(error)
})

test('headers are sent with each request', async () => {
  const { tell, context } = await startSpeaker()
  await tell(`http ${context.port}`)
  const headers = { 'x-wanted': 'yes' }
  await waitUntilReady(rebuildWait({ kind: 'http', path: '/', status: 299, headers }), context)
})

test('a log that was cut in place while it was waited for is read from its beginning', async () => {
  const { tell, context } = await startSpeaker()
  const waiting = waitUntilReady(rebuildWait({ kind: 'logLine', pattern: '^listening now' }), context)
  waiting.catch(() => {})
  const becomesReady = await mustBlock('waiting', waiting)
  writeFileSync(context.logFile, '')
  await tell('print listening now')
  await becomesReady()
})

test('what is not a way to wait is refused at once', () => {
  expect(() => rebuildWait({ kind: 'luck' } as unknown as WaitDescriptor)).toThrow(/luck.*tcp, http, logLine/)
  expect(() => rebuildWait({ kind: 'http', path: 'health' })).toThrow(/does not begin with/)
  expect(() => rebuildWait({ kind: 'logLine', pattern: '(' })).toThrow(SyntaxError)
})

test('however often a port is looked at, nothing stays on the signal', async () => {
  const { signal } = new AbortController()
  const server = createServer((socket) => socket.end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const look = { host: '127.0.0.1', logFile: '', logStart: 0, signal, answerMs: 30_000 }
  for (let n = 0; n < 5; n++) {
    expect(await tcpAccepts().look({ ...look, port })).toBeUndefined()
    expect(await tcpAccepts().look({ ...look, port: await freePort() })).toMatch(/ECONNREFUSED/)
  }
  await eventually('the sockets are closed', () => getEventListeners(signal, 'abort').length === 0)
})
