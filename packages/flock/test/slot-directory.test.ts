import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseRecord } from '@procref/core'
import { flock } from '@procref/flock'
import { atEnd, type Child, eventually, freshDir, startProgram } from '@procref/testing'
import { expect, test } from 'vitest'

// docs/slot-directory.md says that a program in another language can take part. Here is one: the page's own.

const page = readFileSync(new URL('../../../docs/slot-directory.md', import.meta.url), 'utf8')

function examplePath(): string {
  const [, program] = page.match(/```python\n([\s\S]*?)```/) ?? []
  if (program === undefined) throw new Error('docs/slot-directory.md has no Python program')
  const path = join(freshDir(), 'hold.py')
  writeFileSync(path, program)
  return path
}

function hold(dir: string, example: string = examplePath()): Child {
  return atEnd(startProgram('python3', { args: [example, dir] }))
}

async function claimed(child: Child): Promise<{ slot: number; pid: number }> {
  return JSON.parse(await child.line())
}

test('the page’s Python program makes a pool that is ours as well, and we see who holds its slot', async () => {
  const dir = freshDir()
  const python = hold(dir)
  const { slot, pid } = await claimed(python)
  expect(pid).toBe(python.pid)
  const pool = atEnd(await flock().open(dir))
  expect(pool.size).toBe(100)
  expect(await pool.held()).toMatchObject([{ slot, pid, label: 'a Python program' }])
  expect(await pool.provenEmpty()).toBe(false)
  python.end()
  expect(await python.exited).toMatchObject({ code: 0 })
  expect(await pool.provenEmpty()).toBe(true)
})

test('the page’s Python program and we exclude each other, both ways round', async () => {
  const dir = freshDir()
  const pool = atEnd(await flock().open(dir, { slots: 1 }))
  const ours = await pool.claim()
  const refused = hold(dir)
  expect(await refused.exited).toMatchObject({ code: 1 })
  expect(refused.stderr()).toContain('All 1 slots are in use')
  await ours.release()
  const python = hold(dir)
  expect((await claimed(python)).slot).toBe(0)
  await expect(pool.claim()).rejects.toMatchObject({ code: 'PROCREF_SLOTS_EXHAUSTED', holders: [{ pid: python.pid }] })
  const waiting = pool.claim({ timeoutMs: 60_000 })
  python.kill('SIGKILL')
  expect((await waiting).id).toBe(0)
})

test('Python programs that start at once and we get a slot each', async () => {
  const dir = freshDir()
  const example = examplePath()
  const pythons = Array.from({ length: 5 }, () => hold(dir, example))
  const theirs = await Promise.all(pythons.map(claimed))
  const pool = atEnd(await flock().open(dir))
  const ours = await pool.claim()
  expect(new Set([...theirs.map(({ slot }) => slot), ours.id]).size).toBe(6)
  expect(await pool.count()).toBe(6)
})

test('the page’s Python program refuses a directory that is locked in another way', async () => {
  const dir = freshDir()
  writeFileSync(join(dir, 'protocol.json'), '{"format":1,"protocol":"lockfile","slots":100}')
  const python = hold(dir)
  expect(await python.exited).toMatchObject({ code: 1 })
  expect(python.stderr()).toContain('is not locked with flock')
})

test('a record as the page shows it is read, and its pin is the one we make', async () => {
  const [, record = ''] = page.match(/```text\n([\s\S]*?)\n```/) ?? []
  expect(parseRecord(new TextEncoder().encode(record.padEnd(512)))).toEqual({
    pid: 4711,
    label: 'editor',
    startedAt: '2026-01-02T03:04:05.678Z',
    program: 'node server.js',
  })
  const dir = freshDir()
  await (await flock().open(dir)).close()
  const [, pin] = page.match(/```json\n([\s\S]*?)```/) ?? []
  expect(readFileSync(join(dir, 'protocol.json'), 'utf8')).toBe(pin)
})

// Stands in for the original program: its open flags, its lock, its line; no second look, no comparison.
const SEED = `
import fcntl, os, sys
for slot in range(100):
    fd = os.open(os.path.join(sys.argv[1], f"slot_{slot:02}.lock"), os.O_WRONLY | os.O_CREAT, 0o644)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        continue
    os.write(fd, f"{os.getpid()}\\n".encode())
    print(slot, flush=True)
    sys.stdin.read()
    break
`

test('a program that keeps the original’s rules shares the directory: names, first line, exclusion', async () => {
  const dir = freshDir()
  const seed = atEnd(startProgram('python3', { args: ['-c', SEED, dir] }))
  expect(await seed.line()).toBe('0')
  const pool = atEnd(await flock().open(dir, { label: 'ours' }))
  expect(pool.size).toBe(100)
  expect(await pool.held()).toEqual([{ slot: 0, path: join(dir, 'slot_00.lock'), pid: seed.pid }])
  seed.kill('SIGKILL')
  await seed.exited
  await eventually('the slot is free', () => pool.provenEmpty())

  // We fill the first slots; it takes the next one, and its line over our record is what counts.
  const slots = []
  while (slots.length < 100) slots.push(await pool.claim())
  await slots.find(({ id }) => id === 42)?.release()
  const second = atEnd(startProgram('python3', { args: ['-c', SEED, dir] }))
  expect(await second.line()).toBe('42')
  const [, its] = (await pool.held()).slice(41)
  expect(its).toEqual({ slot: 42, path: join(dir, 'slot_42.lock'), pid: second.pid })
})
