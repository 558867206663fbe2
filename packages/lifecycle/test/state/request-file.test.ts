import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { atEnd, freshDir, startChild, startProgram } from '@procref/testing'
import { expect, test } from 'vitest'
import { type GuardianRequest, takeRequest, withdrawRequest, writeRequest } from '../../dist/state/request-file.js'
import { NONCE, OTHER_NONCE } from './sample-record.ts'

const asker = new URL('../children/asker.mjs', import.meta.url)
const request: GuardianRequest = { kind: 'stop', nonce: NONCE, force: true, by: 42, at: '2026-01-01T00:00:00.000Z' }

test('a request is taken once, whole, by the guardian that it names', () => {
  const dir = freshDir()
  const path = join(dir, 'request.json')
  expect(takeRequest(path, NONCE)).toBeUndefined()
  writeRequest(path, request)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(takeRequest(path, NONCE)).toEqual(request)
  expect(takeRequest(path, NONCE)).toBeUndefined()
  expect(readdirSync(dir)).toEqual([])
})

test('a request to another guardian is ignored and removed', () => {
  const dir = freshDir()
  const path = join(dir, 'request.json')
  writeRequest(path, { ...request, nonce: OTHER_NONCE })
  expect(takeRequest(path, NONCE)).toBeUndefined()
  expect(readdirSync(dir)).toEqual([])
})

test('a request that could not be read is taken by a later call, unless another one has come', () => {
  const dir = freshDir()
  const path = join(dir, 'request.json')
  writeRequest(path, request)
  // Where a call stands when the system does not let it read.
  renameSync(path, `${path}.${NONCE}.taken`)
  expect(takeRequest(path, NONCE)).toEqual(request)
  expect(readdirSync(dir)).toEqual([])

  writeRequest(path, request)
  renameSync(path, `${path}.${NONCE}.taken`)
  writeRequest(path, { ...request, by: 43 })
  expect(takeRequest(path, NONCE)?.by).toBe(43)
  expect(readdirSync(dir)).toEqual([])
})

test('the later of two requests counts', () => {
  const path = join(freshDir(), 'request.json')
  writeRequest(path, request)
  writeRequest(path, { ...request, by: 43 })
  expect(takeRequest(path, NONCE)?.by).toBe(43)
  expect(takeRequest(path, NONCE)).toBeUndefined()
})

test('a request to restart is taken like one to stop', () => {
  const path = join(freshDir(), 'request.json')
  const { nonce, by, at } = request
  const restart = { kind: 'restart', nonce, by, at } as const
  writeRequest(path, restart)
  expect(takeRequest(path, NONCE)).toEqual(restart)
})

test('a request is withdrawn unless it was taken, or another one has replaced it', () => {
  const dir = freshDir()
  const path = join(dir, 'request.json')
  writeRequest(path, request)
  expect(withdrawRequest(path, request)).toBe(true)
  expect(readdirSync(dir)).toEqual([])
  writeRequest(path, request)
  takeRequest(path, NONCE)
  expect(withdrawRequest(path, request)).toBe(false)
  const later = { ...request, by: 43 }
  writeRequest(path, later)
  expect(withdrawRequest(path, request)).toBe(false)
  expect(takeRequest(path, NONCE)).toEqual(later)
})

test('what is no request is removed, and a link is not followed', () => {
  const dir = freshDir()
  const path = join(dir, 'request.json')
  const whole = JSON.stringify(request)
  for (const rubbish of ['', '{}', 'null', whole.slice(0, -1), JSON.stringify({ ...request, kind: 'dance' })]) {
    writeFileSync(path, rubbish)
    expect(takeRequest(path, NONCE)).toBeUndefined()
    expect(existsSync(path)).toBe(false)
  }
  const real = join(dir, 'real')
  writeFileSync(real, whole)
  symlinkSync(real, path)
  expect(takeRequest(path, NONCE)).toBeUndefined()
  expect(readFileSync(real, 'utf8')).toBe(whole)
  expect(readdirSync(dir)).toEqual(['real'])
})

test('a directory in its place is left there, and asks for nothing', () => {
  const dir = freshDir()
  mkdirSync(join(dir, 'request.json'))
  expect(takeRequest(join(dir, 'request.json'), NONCE)).toBeUndefined()
  expect(readdirSync(dir)).toEqual(['request.json'])
})

test('a request that cannot be read for want of a descriptor is there again when there is one', async () => {
  const path = join(freshDir(), 'request.json')
  writeRequest(path, request)
  const program = fileURLToPath(new URL('../children/request-without-descriptors.mjs', import.meta.url))
  const child = atEnd(startProgram('prlimit', { args: ['--nofile=100', process.execPath, program, path, NONCE] }))
  expect(await child.event('failed')).toMatchObject({ code: 'EMFILE' })
  expect(await child.event('taken')).toMatchObject({ request })
  expect(existsSync(path)).toBe(false)
})

test('a request that arrives while another is taken is neither lost nor taken twice', async () => {
  const path = join(freshDir(), 'request.json')
  const child = atEnd(startChild(asker, { args: [path, NONCE] }))
  await child.event('ready')
  for (let n = 1; n <= 50; n++) {
    child.send('ask')
    // The asker puts request n; without a wait for it we take whenever it is there.
    let taken: GuardianRequest | undefined
    while (taken === undefined) {
      taken = takeRequest(path, NONCE)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(taken.by).toBe(n)
  }
  expect(takeRequest(path, NONCE)).toBeUndefined()
})
