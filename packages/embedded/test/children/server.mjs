// Plays the guardian: launches the driver in this process, as `node server.mjs '{"storage":"memory","databaseDir":…,"port":…}'`.
import { mkdirSync } from 'node:fs'
import { embeddedSurreal } from '@procref/embedded'
import { freePort, obey, say, sayFailed } from '@procref/testing/child'
import { collectGarbage, memoryHere } from './memory-here.mjs'

const {
  storage = 'memory',
  databaseDir = '/nonexistent',
  port,
  user = 'root',
  password = 'secret',
} = JSON.parse(process.argv[2])

async function launch() {
  if (storage !== 'memory') mkdirSync(databaseDir, { recursive: true, mode: 0o700 })
  const context = {
    host: '127.0.0.1',
    port: port ?? (await freePort()),
    dir: databaseDir,
    databaseDir,
    credentials: { user, password },
    nonce: 'nonce',
    epoch: 1,
    logFile: '/dev/stderr',
    logFd: 2,
    signal: new AbortController().signal,
    spawn: () => {
      throw new Error('this driver has no child to spawn')
    },
  }
  const driver = embeddedSurreal({ storage })
  await driver.check()
  const began = performance.now()
  const server = await driver.launch(context)
  say('launched', { port: context.port, pid: server.pid })
  const details = await server.ready({ signal: AbortSignal.timeout(30_000) })
  say('ready', { port: context.port, ...details, ms: Math.round(performance.now() - began) })
  return server
}

const launched = launch()
launched.catch(sayFailed)
launched.then(async (server) => {
  const { code, signal, error } = await server.ended
  say('ended', { code, signal, error: error?.message })
})

obey({
  terminate: async () => {
    const server = await launched
    server.terminate()
    server.kill()
  },
  memory: () => say('memory', memoryHere()),
  collect: async () => {
    await collectGarbage()
    say('collected', memoryHere())
  },
  rss: () => say('rss', { mib: Math.round(process.memoryUsage().rss / 1024 / 1024) }),
  relaunch: async () =>
    say('relaunched', {
      error: await launch().then(
        () => 'none',
        (error) => error.code,
      ),
    }),
})
