import { atEnd, freshDir, startChild } from '@procref/testing'
import { expect, test } from 'vitest'
import { connected, counted, killed, nothingIsLeft, serviceDir, stopped, wroteRow } from '../service/service.ts'
import { bundleInto, shipEngine, shipNativeCode } from './bundles.ts'

const IN_CONTEXT = new URL('./children/in-context.mjs', import.meta.url)

// The client alone is in the context, so one kind of server is enough.
test('a client in a context of node:vm, whose Error is not Node’s, works, also after the guardian was killed', async () => {
  const folder = freshDir()
  const { app, guardian } = await bundleInto(folder, 'esbuild, CommonJS')
  shipNativeCode(folder)
  shipEngine(folder)
  const dir = serviceDir()
  const options = JSON.stringify({ driver: 'embedded', guardianProgram: guardian })
  const client = atEnd(startChild(IN_CONTEXT, { args: [app, dir, options], cwd: '/' }))
  const { guardianPid, port } = await connected(client)
  await wroteRow(client)
  process.kill(guardianPid, 'SIGKILL')
  expect(await client.event('reconnected')).toMatchObject({ epoch: 2 })
  expect(await counted(client)).toBe(1)
  await killed(client)
  await stopped(dir, port)
  await nothingIsLeft(dir)
})
