import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  fstatSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { atEnd, freshDir, openFiles, startProgram } from '@procref/testing'
import { expect, onTestFinished, test } from 'vitest'
import { capServerLog, lastWords, openServerLog, tailServerLog } from '../../dist/state/server-log.js'

function open(path: string): number {
  const fd = openServerLog(path)
  onTestFinished(() => closeSync(fd))
  return fd
}

test('the log is made with mode 0600 and appended to, never truncated', () => {
  const path = join(freshDir(), 'server.log')
  writeSync(open(path), 'first\n')
  writeSync(open(path), 'second\n')
  expect(readFileSync(path, 'utf8')).toBe('first\nsecond\n')
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('a link or a FIFO in its place is refused at once', () => {
  const dir = freshDir()
  const before = openFiles(process.pid).length
  writeFileSync(join(dir, 'victim'), '')
  symlinkSync(join(dir, 'victim'), join(dir, 'link.log'))
  expect(() => openServerLog(join(dir, 'link.log'))).toThrow(expect.objectContaining({ code: 'ELOOP' }))
  execFileSync('mkfifo', [join(dir, 'fifo.log')])
  expect(() => openServerLog(join(dir, 'fifo.log'))).toThrow(
    expect.objectContaining({ code: 'PROCREF_STATE_FILE_UNSAFE' }),
  )
  expect(openFiles(process.pid)).toHaveLength(before)
})

test('a server goes on writing to a log that is cut under it, and the last lines are kept', async () => {
  const path = join(freshDir(), 'server.log')
  const fd = open(path)
  // Each line of 1,024 bytes has its number; the shell writes as a server would, to the very description it inherited.
  const script = 'while read n; do printf "%1023s\\n" $n >&3; echo "wrote $n"; done'
  const server = atEnd(startProgram('/bin/sh', { args: ['-c', script], inherit: [fd] }))
  for (let n = 1; n <= 200; n++) server.send(String(n))
  for (let n = 1; n <= 200; n++) await server.line()
  expect(capServerLog(fd, 300 * 1024)).toBe(false)
  expect(capServerLog(fd, 100 * 1024)).toBe(true)
  expect(fstatSync(fd).size).toBeLessThanOrEqual(65 * 1024)
  server.send('201')
  await server.line()
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  expect(lines[0]).toBe(`[procref] cut at ${200 * 1024} bytes`)
  expect(lines.slice(-3).map((line) => line.trim())).toEqual(['199', '200', '201'])
  expect(readFileSync(path).includes(0)).toBe(false)
})

test('the tail has the last lines without colours, controls and carriage returns, and nothing when there is no log', () => {
  const path = join(freshDir(), 'server.log')
  expect(tailServerLog(path, 5)).toEqual([])
  writeFileSync(path, '')
  expect(tailServerLog(path, 5)).toEqual([])
  writeFileSync(path, 'one\r\n\u001b[31mtwo\u001b[0m \u0007ü\n\n\u001b]8;;http://x\u0007three\u001b]8;;\u0007\n\n')
  expect(tailServerLog(path, 5)).toEqual(['one', 'two ü', '', 'three'])
  expect(tailServerLog(path, 2)).toEqual(['', 'three'])
})

test('the tail of a huge log reads its end only and begins with a whole line', () => {
  const path = join(freshDir(), 'server.log')
  const line = `${'0123456789'.repeat(10)}\n`
  writeFileSync(path, line.repeat(100_000))
  appendFileSync(path, 'the end')
  const tail = tailServerLog(path, 100_000)
  expect(tail.length).toBeLessThan(1000)
  expect(tail[0]).toBe(line.trim())
  expect(tail.at(-1)).toBe('the end')
})

test('as last words a log that cannot be read has none; whoever asks for the log is told', () => {
  const file = join(freshDir(), 'file')
  writeFileSync(file, 'one\ntwo\n')
  expect(lastWords(file, 1)).toEqual(['two'])
  expect(lastWords(join(file, 'server.log'), 5)).toEqual([])
  expect(() => tailServerLog(join(file, 'server.log'), 5)).toThrow(expect.objectContaining({ code: 'ENOTDIR' }))
})
