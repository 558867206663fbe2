import { appendFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freshDir } from '@procref/testing'
import { expect, test } from 'vitest'
import { Journal, readJournal } from '../../dist/state/journal.js'
import { blankTornLine, examineJournal } from '../../dist/state/journal-condition.js'

function journalWith(text: string): string {
  const path = join(freshDir(), 'journal.ndjson')
  writeFileSync(path, text)
  return path
}

function tornOf(path: string) {
  return examineJournal(path)?.torn ?? expect.unreachable('a torn line')
}

test('a journal that is not there has no condition, and one that is whole no fault', () => {
  expect(examineJournal(join(freshDir(), 'journal.ndjson'))).toBeUndefined()
  const path = journalWith('')
  new Journal(path).append({ event: 'guardian-elected', reason: 'no-server' })
  expect(examineJournal(path)).toEqual({ bytes: readFileSync(path).length, damagedLines: 0 })
})

test('damaged lines are counted, blank ones are not, and a line without an end is told apart', () => {
  const whole = '{"a":1}\nrubbish\n   \n\n"text"\n'
  expect(examineJournal(journalWith(whole))).toEqual({ bytes: whole.length, damagedLines: 2 })
  expect(examineJournal(journalWith(`${whole}{"torn`))).toEqual({
    bytes: whole.length + 6,
    damagedLines: 2,
    torn: { at: whole.length, bytes: 6 },
  })
})

test('a torn line becomes a blank one, and no other byte is touched', () => {
  const path = journalWith('{"a":1}\n{"torn')
  expect(blankTornLine(path, tornOf(path))).toBe(true)
  expect(readFileSync(path, 'utf8')).toBe('{"a":1}\n     \n')
  expect(examineJournal(path)).toMatchObject({ damagedLines: 0 })
})

test('a line that has grown since, or has got its end, is left alone', () => {
  const path = journalWith('{"torn')
  const torn = tornOf(path)
  appendFileSync(path, '…')
  expect(blankTornLine(path, torn)).toBe(false)
  appendFileSync(path, '\n')
  expect(blankTornLine(path, torn)).toBe(false)
  expect(readFileSync(path, 'utf8')).toBe('{"torn…\n')
})

// A looks  →  B appends an entry behind the torn line  →  A blanks what it has seen
test('an entry that another process appends meanwhile stays', () => {
  const path = journalWith('{"torn')
  const torn = tornOf(path)
  new Journal(path).append({ event: 'guardian-elected', reason: 'no-server' })
  blankTornLine(path, torn)
  expect(readJournal(path)).toMatchObject([{ event: 'guardian-elected' }])
})

// A blanks  →  B, which saw the torn line before, ends it and appends its entry
test('an entry of a writer that still takes the line for torn stays', () => {
  const path = journalWith('{"torn')
  blankTornLine(path, tornOf(path))
  appendFileSync(path, '\n{"at":"now","pid":1,"event":"guardian-elected","reason":"no-server"}\n')
  expect(readJournal(path)).toMatchObject([{ event: 'guardian-elected' }])
  expect(examineJournal(path)).toMatchObject({ damagedLines: 0 })
})

test('a link and a directory are not followed, and not taken for a journal', () => {
  const dir = freshDir()
  symlinkSync('/etc/passwd', join(dir, 'link'))
  mkdirSync(join(dir, 'folder'))
  expect(() => examineJournal(join(dir, 'link'))).toThrow(/ELOOP/)
  expect(() => examineJournal(join(dir, 'folder'))).toThrow(/EISDIR/)
})
