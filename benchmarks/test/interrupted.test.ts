import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { atEnd, type Child, commandLine, eventually, freshDir, processes, startChild } from '@procref/testing'
import { expect, test } from 'vitest'
import { SUBJECTS } from '../dist/subjects/index.js'

/** A server is made, started and stopped for some of them, on a disk that may be slow. */
const SERVERS_MS = 180_000
/** For preparing, interrupting and stopping, one after the other. */
const HANGS_MS = 4 * SERVERS_MS

/** Those that have something outside of their actors (servers, users of their own, names in shared memory), and one whose library listens for signals. */
const WANTED = ['posix-semaphore', 'hybrid', 'redis', 'postgres', 'proper-lockfile']
const usable: string[] = []
for (const subject of SUBJECTS.filter(({ name }) => WANTED.includes(name))) {
  const missing = await subject.unavailable(tmpdir())
  if (missing === undefined) usable.push(subject.name)
  else console.warn(`NOTE: ${subject.name} IS NOT INTERRUPTED: ${missing.reason} (${missing.remedy})`)
}

/** A run that has its temporary files in `folder`, in a process group of its own as a terminal has it. */
function run(folder: string): Child {
  const script = new URL('./children/bench.mjs', import.meta.url)
  return atEnd(startChild(script, { args: usable, env: { TMPDIR: folder }, detached: true }))
}

async function measuring(folder: string): Promise<Child> {
  const child = run(folder)
  await child.event('measuring', SERVERS_MS)
  return child
}

function whoNames(dir: string): readonly string[] {
  return processes()
    .map(({ pid }) => commandLine(pid).join(' '))
    .filter((line) => line.includes(dir))
}

/** Semaphores have the pid of the run in their names. */
function semaphoresOf(child: Child): readonly string[] {
  return readdirSync('/dev/shm').filter((name) => name.startsWith(`sem.pr-bench-${child.pid}-`))
}

test('a run that is interrupted at the terminal leaves nothing behind', { timeout: HANGS_MS }, async () => {
  const folder = freshDir({ mode: 0o711 })
  const child = await measuring(folder)
  expect(whoNames(folder).length).toBeGreaterThan(0)
  process.kill(-child.pid, 'SIGINT')
  expect(await child.event('stopped', SERVERS_MS)).toMatchObject({ message: 'called off' })
  expect(await child.exited).toEqual({ code: 0, signal: null })
  expect(readdirSync(folder)).toEqual([])
  expect(whoNames(folder)).toEqual([])
  expect(semaphoresOf(child)).toEqual([])
})

test('a run that is interrupted while it prepares leaves nothing behind', { timeout: HANGS_MS }, async () => {
  const folder = freshDir({ mode: 0o711 })
  const child = run(folder)
  // The last one has not been prepared then, the others have.
  for (const _ of usable) await child.event('preparing', SERVERS_MS)
  process.kill(-child.pid, 'SIGINT')
  expect(await child.event('stopped', SERVERS_MS)).toMatchObject({ message: 'called off' })
  await child.exited
  expect(readdirSync(folder)).toEqual([])
  expect(whoNames(folder)).toEqual([])
  expect(semaphoresOf(child)).toEqual([])
})

test('servers end by themselves, and remove what they wrote, when a run is killed', { timeout: HANGS_MS }, async () => {
  const folder = freshDir({ mode: 0o711 })
  const child = await measuring(folder)
  child.kill('SIGKILL')
  await child.exited
  await eventually('the end of all servers', () => whoNames(folder).length === 0, SERVERS_MS)
  const left = readdirSync(folder)
  expect(left.filter((name) => name.includes('postgres'))).toEqual([])
  // Of the run's own folder, which nobody was there to remove.
  expect(left.flatMap((name) => readdirSync(join(folder, name)))).not.toContain('redis')
})
