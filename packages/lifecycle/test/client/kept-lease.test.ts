import { flock } from '@procref/flock'
import { endDirectory, eventually, freshDir, isAlive, openFiles } from '@procref/testing'
import { expect, onTestFinished, test } from 'vitest'
import { command, sharedService } from '../../dist/index.js'

const LISTENS = "require('node:net').createServer((socket) => socket.end()).listen(process.argv[1], '127.0.0.1')"

async function lease(dir: string, more: { readonly check?: () => Promise<void> } = {}) {
  const real = command({ file: process.execPath, args: ['-e', LISTENS, '{port}'], ready: { kind: 'tcp' } })
  const driver = { ...real, ...more }
  return await sharedService({ dir, backend: flock(), driver, lingerMs: 10, timeoutMs: 60_000 })
}

test('a lease that is closed while it looks after itself leaves nothing open', async () => {
  const dir = `${freshDir()}/service`
  onTestFinished(async () => await endDirectory(dir))
  const lasting = await lease(dir)
  const before = openOf(dir)
  for (let n = 0; n < 3; n++) {
    const ending = (await lease(dir)) as Awaited<ReturnType<typeof lease>> & { check(): Promise<void> }
    const looking = ending.check()
    await ending.close()
    await looking
  }
  expect(openOf(dir)).toEqual(before)
  await lasting.close()
  expect(openOf(dir)).toEqual([])
})

test('a lease that is closed while its driver’s check hangs gives its slot back', async () => {
  const dir = `${freshDir()}/service`
  onTestFinished(async () => await endDirectory(dir))
  let hangs = false
  let isHanging = false
  const check = async (): Promise<void> => {
    isHanging = hangs
    if (hangs) await new Promise(() => {})
  }
  const ending = (await lease(dir, { check })) as Awaited<ReturnType<typeof lease>> & { check(): Promise<void> }
  hangs = true
  const { guardianPid } = ending.server
  process.kill(guardianPid, 'SIGKILL')
  await eventually('the guardian has ended', () => !isAlive(guardianPid))
  const looking = ending.check()
  await eventually('the driver is asked', () => isHanging)
  await ending.close()
  await looking
  expect(openOf(dir)).toEqual([])
})

function openOf(dir: string): readonly string[] {
  return openFiles(process.pid)
    .map(({ target }) => target)
    .filter((target) => target.startsWith(dir))
    .sort()
}
