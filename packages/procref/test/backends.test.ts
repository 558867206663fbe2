import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isNativeCodeHere } from '@procref/native'
import { freshDir } from '@procref/testing'
import { expect, test } from 'vitest'
// Not part of the public interface.
import { resolveBackend } from '../dist/backends.js'

const best = isNativeCodeHere() ? 'native' : 'flock'
const NO_ENV = {}

function pinned(pin: string): string {
  const dir = join(freshDir(), 'slots')
  mkdirSync(dir, { mode: 0o700 })
  writeFileSync(join(dir, 'protocol.json'), pin)
  return dir
}

test('nobody asked, nobody has used the directory: the native backend, where its code is here, else flock', async () => {
  expect((await resolveBackend(undefined, join(freshDir(), 'slots'), NO_ENV)).name).toBe(best)
})

test('a name wins over the environment, and that over the best', async () => {
  const dir = join(freshDir(), 'slots')
  expect((await resolveBackend('flock', dir, { PROCREF_BACKEND: 'native' })).name).toBe('flock')
  expect((await resolveBackend(undefined, dir, { PROCREF_BACKEND: 'flock' })).name).toBe('flock')
})

test('a name that this version does not know is refused, and those that it knows are listed', async () => {
  await expect(resolveBackend('semaphore', freshDir(), NO_ENV)).rejects.toMatchObject({
    code: 'PROCREF_UNKNOWN_BACKEND',
    message: expect.stringContaining('native, flock'),
  })
})

test.each(['ofd-range', 'sysv', 'robust-mutex'])(
  'a directory that is pinned to %s is used with it, unasked',
  async (protocol) => {
    const dir = pinned(JSON.stringify({ format: 1, protocol, slots: 3 }))
    expect((await resolveBackend(undefined, dir, NO_ENV)).name).toBe(protocol)
  },
)

test.each([
  ['a protocol of a later version', '{"format":1,"protocol":"telepathy","slots":3}'],
  ['no JSON', 'rubbish'],
])('a directory whose pin names %s is left to be refused by open()', async (_what, pin) => {
  const dir = pinned(pin)
  const backend = await resolveBackend(undefined, dir, NO_ENV)
  await expect(backend.open(dir)).rejects.toMatchObject({ code: expect.stringMatching(/^PROCREF_PROTOCOL_/) })
})
