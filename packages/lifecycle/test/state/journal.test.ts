import { appendFileSync, mkdirSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { atEnd, freshDir, isRoot, mountTmpfs, startChild } from '@procref/testing'
import { expect, test } from 'vitest'
import { Journal, readJournal } from '../../dist/state/journal.js'
import { NONCE } from './sample-record.ts'

const writer = new URL('../children/journal-writer.mjs', import.meta.url)

test('entries are read in order with time, pid and evidence, from a file with mode 0600', () => {
  const path = join(freshDir(), 'journal.ndjson')
  const journal = new Journal(path)
  journal.append({ event: 'guardian-elected', reason: 'no-server', epoch: 1, nonce: NONCE })
  journal.append({ event: 'server-stopping', reason: 'slots-empty', evidence: { probed: 100, held: [] } })
  expect(journal.failure).toBeUndefined()
  expect(readJournal(path)).toEqual([
    {
      at: expect.any(String),
      pid: process.pid,
      epoch: 1,
      nonce: NONCE,
      event: 'guardian-elected',
      reason: 'no-server',
    },
    {
      at: expect.any(String),
      pid: process.pid,
      event: 'server-stopping',
      reason: 'slots-empty',
      evidence: { probed: 100, held: [] },
    },
  ])
  expect(readJournal(path, { last: 1 })).toMatchObject([{ event: 'server-stopping' }])
  expect(readJournal(path, { last: 0 })).toEqual([])
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('no journal has no entries', () => {
  expect(readJournal(join(freshDir(), 'journal.ndjson'))).toEqual([])
})

test('lines of 8 simultaneous writers, rotated meanwhile, are neither torn nor lost', async () => {
  const path = join(freshDir(), 'journal.ndjson')
  const writers = Array.from({ length: 8 }, () => atEnd(startChild(writer, { args: [path] })))
  await Promise.all(writers.map((w) => w.event('ready')))
  for (const w of writers) w.send('write')
  const journal = new Journal(path)
  const done = Promise.all(writers.map((w) => w.event('written'))).then(() => 'done')
  do journal.rotateIfLarge()
  while ((await Promise.race([done, new Promise((resolve) => setImmediate(resolve))])) !== 'done')
  // On a machine so busy that all was written before we looked, it is rotated now.
  journal.rotateIfLarge()
  expect(journal.failure).toBeUndefined()
  expect(sizeOf(`${path}.old`)).toBeGreaterThan(1 << 20)
  const entries = readJournal(path)
  expect(entries).toHaveLength(8 * 500)
  for (const { pid } of writers) {
    const own = entries.filter((entry) => entry.pid === pid)
    expect(own.map((entry) => entry.evidence?.n)).toEqual(Array.from({ length: 500 }, (_, n) => n))
  }
  // An empty line can appear where one writer looked while another was writing.
  const text = [`${path}.old`, path].map((file) => (sizeOf(file) === 0 ? '' : readFileSync(file, 'utf8'))).join('')
  const lines = text.split('\n').filter((line) => line !== '')
  expect(lines).toHaveLength(8 * 500)
})

test('a line torn at any byte spoils no other', () => {
  const path = join(freshDir(), 'journal.ndjson')
  const journal = new Journal(path)
  journal.append({ event: 'server-starting', reason: 'no-server', epoch: 1 })
  const first = sizeOf(path)
  journal.append({ event: 'server-serving', reason: 'ready', epoch: 1 })
  const whole = readFileSync(path)
  for (let length = first; length < whole.length; length++) {
    writeFileSync(path, whole.subarray(0, length))
    journal.append({ event: 'server-died', reason: 'server-ended', epoch: 1 })
    // All of the line but its end is there after the last byte but one.
    const events = readJournal(path).map((entry) => entry.event)
    expect(events.at(0)).toBe('server-starting')
    expect(events.at(-1)).toBe('server-died')
    expect(events).toHaveLength(length === whole.length - 1 ? 3 : 2)
  }
})

test('lines that are no entries, or are of a newer procref, are left out', () => {
  const path = join(freshDir(), 'journal.ndjson')
  const journal = new Journal(path)
  journal.append({ event: 'server-starting', reason: 'no-server' })
  const [entry] = readJournal(path)
  for (const change of [
    { event: 'invented' },
    { reason: 'invented' },
    { at: 1 },
    { pid: '1' },
    { nonce: '../x' },
    { evidence: 1 },
  ]) {
    appendFileSync(path, `${JSON.stringify({ ...entry, ...change })}\n`)
  }
  appendFileSync(path, '\n\nnull\n[]\n\0\0\n"text"\n')
  expect(readJournal(path)).toEqual([entry])
})

test('it stays below twice 1 MB and keeps the newest', () => {
  const path = join(freshDir(), 'journal.ndjson')
  const journal = new Journal(path)
  for (let n = 0; n < 300; n++) {
    journal.append({ event: 'probe-failed', reason: 'io-error', evidence: { n, filling: 'x'.repeat(12_000) } })
    journal.rotateIfLarge()
  }
  expect(journal.failure).toBeUndefined()
  expect(sizeOf(path) + sizeOf(`${path}.old`)).toBeLessThan(2 * (1 << 20) + 16_384)
  const entries = readJournal(path)
  expect(entries.at(-1)?.evidence).toMatchObject({ n: 299 })
  expect(entries.length).toBeGreaterThan(80)
})

test('an entry too long for one line loses its evidence, not itself', () => {
  const path = join(freshDir(), 'journal.ndjson')
  new Journal(path).append({
    event: 'server-failed',
    reason: 'start-failed',
    epoch: 2,
    evidence: { log: 'x'.repeat(1 << 20) },
  })
  expect(sizeOf(path)).toBeLessThan(1000)
  expect(readJournal(path)).toMatchObject([
    { event: 'server-failed', epoch: 2, evidence: { leftOutBytes: expect.any(Number) } },
  ])
})

test('append never throws, and tells why it failed', () => {
  const dir = freshDir()
  const path = join(dir, 'journal.ndjson')
  const victim = join(dir, 'victim')
  writeFileSync(victim, 'precious')
  symlinkSync(victim, path)
  const journal = new Journal(path)
  journal.append({ event: 'server-serving', reason: 'ready' })
  expect(journal.failure).toMatchObject({ code: 'ELOOP' })
  expect(readFileSync(victim, 'utf8')).toBe('precious')
  const gone = new Journal(join(dir, 'gone', 'journal.ndjson'))
  gone.append({ event: 'server-serving', reason: 'ready' })
  gone.rotateIfLarge()
  expect(gone.failure).toMatchObject({ code: 'ENOENT' })
  mkdirSync(join(dir, 'directory'))
  const directory = new Journal(join(dir, 'directory'))
  directory.append({ event: 'server-serving', reason: 'ready' })
  expect(directory.failure).toMatchObject({ code: 'EISDIR' })
})

if (isRoot()) {
  test('on a full disk nothing throws, and the journal goes on when there is room again', () => {
    const disk = atEnd(mountTmpfs({ bytes: 64 * 1024 }))
    const path = join(disk.path, 'journal.ndjson')
    const journal = new Journal(path)
    let written = 0
    for (; journal.failure === undefined; written++) {
      journal.append({ event: 'probe-failed', reason: 'io-error', evidence: { filling: 'x'.repeat(3000) } })
    }
    const before = readJournal(path)
    expect(before).toHaveLength(written - 1)
    truncateSync(path, sizeOf(path) - 5000)
    journal.append({ event: 'server-serving', reason: 'ready' })
    expect(readJournal(path).at(-1)).toMatchObject({ event: 'server-serving' })
  })
} else {
  console.warn('NOT RUN: the journal on a full disk, because we are not root')
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
