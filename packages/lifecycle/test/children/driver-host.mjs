// Does with a driver what a guardian does. DRIVER_HOST is JSON (see hostOf in drivers/driver-suite.ts), not an argument: it
// holds the password, and a driver in this process must not show it there. Words: check, data, launch, ready, commits, wait-aborted, terminate, kill.
import { mkdirSync, openSync } from 'node:fs'
import { obey, say, sayFailed } from '@procref/testing/child'
import { spawnServer } from '../../dist/guardian/spawn-server.js'
import { serializeError } from '../../dist/state/serialized-error.js'

const { descriptor, ...context } = JSON.parse(process.env.DRIVER_HOST)
const driver = (await import(descriptor.module))[descriptor.factory](descriptor.options)
mkdirSync(context.databaseDir, { recursive: true })
const logFd = openSync(context.logFile, 'a')
const lockFd = openSync(`${context.dir}/server.lock`, 'w')
let server

/** One answer a word: what it came to, or the error that the driver refused with. */
const answer = (act) => async () => {
  try {
    say('answer', { result: (await act()) ?? null })
  } catch (error) {
    say('answer', { error: serializeError(error) })
  }
}

obey({
  check: answer(async () => {
    await driver.check?.()
    return await driver.engine?.()
  }),
  data: answer(async () => {
    await driver.checkData?.(context.databaseDir)
  }),
  launch: answer(async () => {
    server = await driver.launch({
      ...context,
      epoch: 1,
      logFd,
      signal: new AbortController().signal,
      spawn: (plan) => spawnServer({ plan, logFd, lockFd, nonce: context.nonce }),
    })
    server.ended.then(({ code, signal, error }) =>
      say('ended', { code, signal, ...(error && { error: serializeError(error) }) }),
    )
    return server.pid
  }),
  ready: answer(() => server.ready({ signal: AbortSignal.timeout(100_000) })),
  commits: answer(() => server.commits({ signal: AbortSignal.timeout(100_000) })),
  'wait-aborted': answer(() => server.ready({ signal: AbortSignal.abort(new Error('given up')) })),
  terminate: () => server.terminate(),
  kill: () => server.kill(),
})
process.on('uncaughtException', sayFailed)
say('hosting')
