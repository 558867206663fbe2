import type { FileLock } from '@procref/core'
import { freshDir } from '@procref/testing'
import { expect, test } from 'vitest'
import { Chronicle, UsurpedError } from '../../dist/guardian/chronicle.js'
import { announce, establish } from '../../dist/guardian/guardianship.js'
import { Journal, readJournal } from '../../dist/state/journal.js'
import { layout } from '../../dist/state/layout.js'
import { type ServerRecord, ServerRecordFile } from '../../dist/state/server-record.js'
import { NONCE, sampleRecord } from '../state/sample-record.ts'

/** What a reader would find in the journal at the moment when a state gets into the record; the disk may be full by then. */
class WatchedFile extends ServerRecordFile {
  readonly found: string[] = []
  full = false
  readonly #lines: () => readonly string[]

  constructor(path: string, lines: () => readonly string[]) {
    super(path, NONCE)
    this.#lines = lines
  }

  override write({ state }: ServerRecord): void {
    if (this.full) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
    this.found.push(`${state}: ${this.#lines().join(', ')}`)
  }
}

function guardian() {
  const { serverJson, journal } = layout(freshDir())
  const lines = (): readonly string[] => readJournal(journal).map(({ event, reason }) => `${event} ${reason}`)
  const file = new WatchedFile(serverJson, lines)
  const office = { current: true }
  const lock: FileLock = { path: '', isCurrent: () => office.current, release: () => {} }
  const setup = {
    dir: '',
    nonce: NONCE,
    backend: sampleRecord().backend.descriptor,
    driver: sampleRecord().driver.descriptor,
    settings: sampleRecord().settings,
    launchedBy: { pid: 1 },
  }
  const chronicle = new Chronicle(file, { guardianLock: lock, aliveLock: lock }, sampleRecord())
  return { g: { setup, chronicle, journal: new Journal(journal) }, file, office, lines }
}

test('whoever reads a state that has come about finds the line that explains it', () => {
  const { g, file } = guardian()
  establish(g, { state: 'stopped' }, 'server-stopped', 'clean-stop')
  expect(file.found).toEqual(['stopped: server-stopped clean-stop'])
})

test('what has come about is noted even where it cannot be recorded', () => {
  const { g, file, lines } = guardian()
  file.full = true
  expect(() => establish(g, { state: 'stopped' }, 'server-stopped', 'clean-stop')).toThrow('no space left')
  expect(lines()).toEqual(['server-stopped clean-stop'])
  expect(g.chronicle.current.state).toBe('serving')
})

test('a step is noted once it is recorded, so that one that cannot be begun has no line', () => {
  const { g, file, lines } = guardian()
  file.full = true
  expect(() => announce(g, { state: 'stopping' }, 'server-stopping', 'slots-empty')).toThrow('no space left')
  expect(lines()).toEqual([])
  file.full = false
  announce(g, { state: 'stopping' }, 'server-stopping', 'slots-empty')
  expect(file.found).toEqual(['stopping: '])
  expect(lines()).toEqual(['server-stopping slots-empty'])
})

test('a guardian whose office is another’s writes neither', () => {
  const { g, file, office, lines } = guardian()
  office.current = false
  expect(() => establish(g, { state: 'stopped' }, 'server-stopped', 'clean-stop')).toThrow(UsurpedError)
  expect(() => announce(g, { state: 'stopping' }, 'server-stopping', 'slots-empty')).toThrow(UsurpedError)
  expect([file.found, lines()]).toEqual([[], []])
})
