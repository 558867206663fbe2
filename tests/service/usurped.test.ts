import { rmSync } from 'node:fs'
import { eventually, isAlive } from '@procref/testing'
import { expect, test } from 'vitest'
import { done, procref } from './restarts.ts'
import { connected, counted, serviceDir, startClient, stateOf, wroteRow } from './service.ts'

test('a guardian that has lost its office does not take away what the next one is asked', async () => {
  const dir = serviceDir()
  const client = startClient(dir)
  const { guardianPid } = await connected(client)
  await wroteRow(client)
  // Without its alive lock it passes for dead: another client launches a guardian, which asks for the office.
  rmSync(`${dir}/alive-${stateOf(dir).nonce}.lock`)
  const other = startClient(dir)
  await other.event('progress')
  // Now that one gets it, and waits for the server of the first, which has not noticed anything yet.
  rmSync(`${dir}/guardian.lock`)
  await eventually('the next guardian has the office', () => stateOf(dir).guardian.pid !== guardianPid)
  expect(await done(procref(dir))).toMatchObject({ restarted: true, state: 'serving' })
  await eventually('the first guardian has left', () => !isAlive(guardianPid))
  await connected(other)
  expect(await counted(other)).toBe(1)
})
