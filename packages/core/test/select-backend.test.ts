import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pinProtocol, type SlotBackend, type Support, selectBackend } from '@procref/core'
import { atEnd, freshDir, startChild } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { testBackend } from './test-backend.ts'

function candidate(name: string, support: Support = { supported: true }, protocol: string = name): SlotBackend {
  return { ...testBackend({ name, protocol }), support: async () => support }
}

const NO = { supported: false, reason: 'it is Tuesday' } as const

test('the first that works is taken, and the reason says so', async () => {
  const [a, b] = [candidate('a'), candidate('b')]
  expect(await selectBackend([a, b], freshDir())).toEqual({
    backend: a,
    reason: 'a: the preferred backend, and it works here',
    rejected: [],
  })
})

test('one that does not work is passed over, and listed with its reason', async () => {
  const c = candidate('c')
  const selection = await selectBackend([candidate('a', NO), candidate('b', NO), c], freshDir())
  expect(selection.backend).toBe(c)
  expect(selection.reason).toContain('a, b')
  expect(selection.rejected).toEqual([
    { name: 'a', reason: 'it is Tuesday' },
    { name: 'b', reason: 'it is Tuesday' },
  ])
})

test('a directory that is in use settles the protocol: better ones that do not speak it are out', async () => {
  const dir = freshDir()
  pinProtocol(dir, { protocol: 'shared' })
  const b = candidate('b', { supported: true }, 'shared')
  const selection = await selectBackend([candidate('a'), b], dir)
  expect(selection.backend).toBe(b)
  expect(selection.reason).toContain('already used with the lock protocol "shared"')
  // It is no loss that `a` was not taken: nobody has to be told.
  expect(selection.rejected).toEqual([])
})

test('in a directory that is in use, a better one that speaks its protocol and does not work is a loss, and listed', async () => {
  const dir = freshDir()
  pinProtocol(dir, { protocol: 'shared' })
  const b = candidate('b', { supported: true }, 'shared')
  const { backend, reason, rejected } = await selectBackend([candidate('a', NO, 'shared'), b], dir)
  expect(backend).toBe(b)
  expect(reason).toMatch(/already used with the lock protocol "shared".*after a$/)
  expect(rejected).toEqual([{ name: 'a', reason: 'it is Tuesday' }])
})

test('a candidate is loaded only when it is looked at; one that cannot be loaded is passed over', async () => {
  const loaded: string[] = []
  const lazy = (name: string, load: () => SlotBackend) => ({
    name,
    load: async () => {
      loaded.push(name)
      return load()
    },
  })
  const missing = lazy('missing', () => {
    throw new Error("Cannot find package 'missing'")
  })
  const b = candidate('b')
  const selection = await selectBackend([missing, lazy('b', () => b), lazy('c', () => candidate('c'))], freshDir())
  expect(selection.backend).toBe(b)
  expect(selection.rejected).toEqual([{ name: 'missing', reason: "Cannot find package 'missing'" }])
  expect(loaded).toEqual(['missing', 'b'])
})

test('where nobody speaks the protocol of a directory, the error says which it is', async () => {
  const dir = freshDir()
  pinProtocol(dir, { protocol: 'telepathy' })
  await expect(selectBackend([candidate('a')], dir)).rejects.toMatchObject({
    code: 'PROCREF_NO_BACKEND',
    rejected: [{ name: 'a', reason: expect.stringContaining('"telepathy"') }],
  })
})

test('a directory that only the seed’s program has used speaks flock', async () => {
  const dir = join(freshDir(), 'slots')
  mkdirSync(dir, { mode: 0o700 })
  writeFileSync(join(dir, 'slot_00.lock'), '1\n')
  const { backend } = await selectBackend([candidate('a'), candidate('flock')], dir)
  expect(backend.name).toBe('flock')
})

test('a backend that names no protocol speaks its own', async () => {
  const dir = freshDir()
  pinProtocol(dir, { protocol: 'a' })
  const { protocol: _, ...bare } = candidate('a')
  expect((await selectBackend([bare], dir)).backend).toBe(bare)
})

test('when none fits, the error lists every reason', async () => {
  const dir = freshDir()
  await expect(selectBackend([candidate('a', NO), candidate('b', NO)], dir)).rejects.toMatchObject({
    code: 'PROCREF_NO_BACKEND',
    dir,
    message: expect.stringMatching(/a: it is Tuesday\n- b: it is Tuesday/),
    rejected: [{ name: 'a' }, { name: 'b' }],
  })
  await expect(selectBackend([], dir)).rejects.toMatchObject({ code: 'PROCREF_NO_BACKEND' })
})

describe('when the system did not get to it', () => {
  const noDescriptor = () => Object.assign(new Error('too many open files'), { code: 'EMFILE' })

  test.each([
    ['to load it', { name: 'a', load: async () => Promise.reject(noDescriptor()) }],
    ['to try it out', candidate('a', { supported: false, reason: 'EMFILE', cause: noDescriptor() })],
  ])('%s, the next one, with another protocol, is not taken for it', async (_what, first) => {
    const selecting = selectBackend([first, candidate('b')], freshDir())
    await expect(selecting).rejects.toMatchObject({ code: 'PROCREF_TOO_MANY_OPEN_FILES' })
  })

  test('to load it, nobody but a new process can', async () => {
    const first = { name: 'a', load: async () => Promise.reject(noDescriptor()) }
    await expect(selectBackend([first], freshDir())).rejects.toThrow(/load a \(EMFILE\)\..*start this program anew/)
  })

  // Node takes a package for missing whose package.json it cannot open.
  test.runIf(process.platform === 'linux')(
    'to look whether it is installed, it is not taken for one that is missing',
    async () => {
      const child = atEnd(
        startChild(new URL('./children/select-without-descriptors.mjs', import.meta.url), { args: [freshDir()] }),
      )
      expect(await child.event('failed')).toMatchObject({ code: 'PROCREF_TOO_MANY_OPEN_FILES' })
    },
  )

  test('a file system without locks (ENOLCK) is none of that: the next one may work there', async () => {
    const cause = Object.assign(new Error('no locks available'), { code: 'ENOLCK' })
    const selection = await selectBackend(
      [candidate('a', { supported: false, reason: 'ENOLCK', cause }), candidate('b')],
      freshDir(),
    )
    expect(selection.backend.name).toBe('b')
  })
})
