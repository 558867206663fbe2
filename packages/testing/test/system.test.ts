import { existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  asOtherUser,
  atEnd,
  canGroup,
  commandLine,
  endDirectory,
  environment,
  eventually,
  freeze,
  freshDir,
  isAlive,
  isLoopback,
  isRoot,
  lockUsers,
  makeTempDir,
  mountTmpfs,
  openFiles,
  processState,
  servantsOf,
  startChild,
  startProgram,
  surrealBinary,
  tcpListenersOf,
  unprivileged,
  whoHasOpen,
  whoListensOn,
} from '@procref/testing'
import { afterEach, expect, test, vi } from 'vitest'

// Not part of the public interface.
import { threadStates } from '../dist/proc.js'

const CHILDREN = join(import.meta.dirname, 'children')
const obedient = new URL('./children/obedient.mjs', import.meta.url)

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

test('a temporary directory is ours alone and gone afterwards', async () => {
  const dir = makeTempDir()
  expect(statSync(dir.path).mode & 0o777).toBe(0o700)
  writeFileSync(join(dir.path, 'file'), '')
  await dir[Symbol.asyncDispose]()
  expect(existsSync(dir.path)).toBe(false)
})

test('the process table knows us, and nobody who is gone', async () => {
  expect(processState(process.pid)).toMatchObject({ pid: process.pid, parentPid: process.ppid })
  expect(isAlive(process.pid)).toBe(true)
  const child = atEnd(startProgram('sleep', { args: ['300'], env: { MARK: 'a=b' } }))
  expect(processState(child.pid)?.startTicks).toBeGreaterThan(0)
  await eventually('it runs', () => commandLine(child.pid)[0] === 'sleep')
  expect(environment(child.pid).MARK).toBe('a=b')
  child.kill('SIGKILL')
  await child.exited
  expect(processState(child.pid)).toBeUndefined()
  expect(commandLine(child.pid)).toEqual([])
  expect(openFiles(child.pid)).toEqual([])
})

test('a frozen process stands still, and goes on when told to', async () => {
  const child = atEnd(startChild(obedient))
  await child.event('ready')
  await freeze(child.pid)
  expect(processState(child.pid)?.state).toBe('T')
  child.kill('SIGCONT')
  child.send('uid')
  await child.event('uid')
})

test('a process is frozen when all of its threads stand still, not the first one alone', async () => {
  const busy = `import { Worker } from 'node:worker_threads'
    const steps = new SharedArrayBuffer(4)
    const program = 'import { workerData } from "node:worker_threads"; for (;;) Atomics.add(new Int32Array(workerData), 0, 1)'
    const threads = Array.from({ length: 6 }, () => new Worker(program, { eval: true, workerData: steps }))
    await Promise.all(threads.map((thread) => new Promise((resolve) => thread.once('online', resolve))))
    console.log('busy')`
  for (let times = 0; times < 5; times++) {
    await using child = startProgram(process.execPath, { args: ['--input-type=module', '-e', busy] })
    await child.line()
    await freeze(child.pid)
    expect(new Set(threadStates(child.pid))).toEqual(new Set(['T']))
  }
})

test('whoever was frozen runs again when the program that froze it is killed', async () => {
  const child = atEnd(startChild(obedient))
  await child.event('ready')
  const freezer = atEnd(startChild(new URL('./children/freezer.mjs', import.meta.url), { args: [String(child.pid)] }))
  await freezer.event('frozen')
  expect(processState(child.pid)?.state).toBe('T')
  freezer.kill('SIGKILL')
  await freezer.exited
  child.send('uid')
  await child.event('uid')
})

test.runIf(canGroup())('a control group, also a frozen one, ends with the program that made it', async () => {
  // One that is slow, as on a busy machine: to be frozen the program has to be in the group.
  const slow = freshDir()
  writeFileSync(join(slow, 'sh'), '#!/bin/sh\nsleep 0.5\nexec /bin/sh "$@"\n', { mode: 0o700 })
  const maker = atEnd(startChild(new URL('./children/group-freezer.mjs', import.meta.url), { args: [slow] }))
  const { pid } = await maker.event<{ pid: number }>('frozen')
  const [, group = ''] = /^0::\/(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8')) ?? []
  expect(group).toMatch(/^procref-test-/)
  maker.kill('SIGKILL')
  await maker.exited
  await eventually('what was in it has ended', () => !isAlive(pid))
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n')
  const root = mounts.map((line) => line.split(' ')).find(([, , type]) => type === 'cgroup2')?.[1]
  await eventually('it is gone', () => !existsSync(`${root}/${group}`))
})

test('a process that is gone cannot be frozen', async () => {
  const child = atEnd(startChild(obedient))
  child.kill('SIGKILL')
  await child.exited
  await expect(freeze(child.pid)).rejects.toThrow(`there is no process ${child.pid} to freeze`)
})

test('a process with spaces and parentheses in its name is read right', async () => {
  const dir = freshDir()
  const odd = join(dir, 'a ) R 1 (b')
  symlinkSync('/bin/sleep', odd)
  const child = atEnd(startProgram(odd, { args: ['300'] }))
  await eventually('it runs', () => commandLine(child.pid)[0] === odd)
  expect(processState(child.pid)).toMatchObject({ parentPid: process.pid })
})

test('who has a file open is told by the file, not by its path', async () => {
  const dir = freshDir()
  const path = join(dir, 'a.lock')
  const child = atEnd(startChild(obedient, { args: [path] }))
  child.send('open')
  await child.event('opened')
  const opened = statSync(path)
  expect(whoHasOpen(path)).toEqual([child.pid])
  rmSync(path)
  writeFileSync(join(dir, 'other'), '')
  expect(whoHasOpen(join(dir, 'other'))).toEqual([])
  expect(whoHasOpen(opened)).toEqual([child.pid])
})

test('listeners are told by port and by process', async () => {
  const child = atEnd(startChild(obedient))
  child.send('listen')
  const { port } = await child.event<{ port: number }>('listening')
  const [listener] = tcpListenersOf(child.pid)
  expect(listener).toMatchObject({ port })
  expect(listener !== undefined && isLoopback(listener)).toBe(true)
  expect(whoListensOn(port)).toEqual([child.pid])
})

test('endDirectory ends who carries the marker, waits for the locks, and touches nobody else', async () => {
  const dir = freshDir()
  const lock = join(dir, 'guardian.lock')
  const bystander = atEnd(startChild(obedient, { env: { PROCREF_INSTANCE: 'of-another-directory' } }))
  await bystander.event('ready')
  const guardian = atEnd(startChild(obedient, { args: [lock], env: { PROCREF_GUARDIAN: '1' } }))
  guardian.send('open')
  await guardian.event('opened')
  rmSync(lock)
  const server = atEnd(startChild(obedient, { args: [join(dir, 'server.lock')], env: { PROCREF_INSTANCE: 'nonce' } }))
  server.send('open')
  await server.event('opened')
  expect(servantsOf(dir)).toEqual([guardian.pid, server.pid].sort((a, b) => a - b))
  expect(lockUsers(dir).find(({ pid }) => pid === guardian.pid)?.locks).toEqual([`${lock} (deleted)`])
  await endDirectory(dir)
  expect(await guardian.exited).toMatchObject({ signal: 'SIGKILL' })
  expect(await server.exited).toMatchObject({ signal: 'SIGKILL' })
  expect(isAlive(bystander.pid)).toBe(true)
})

test('a client is no servant of the directory: it is listed, not ended', async () => {
  const dir = freshDir()
  const client = atEnd(startChild(obedient, { args: [join(dir, 'slot_00.lock')] }))
  client.send('open')
  await client.event('opened')
  expect(servantsOf(dir)).toEqual([])
  expect(lockUsers(dir)).toMatchObject([{ pid: client.pid, locks: [join(dir, 'slot_00.lock')] }])
})

test('who shows no open file any more and holds a lock still uses the directory, until it is released', async () => {
  const dir = freshDir()
  const lock = join(dir, 'slots', 'slot_00.lock')
  mkdirSync(join(dir, 'slots'))
  const child = atEnd(startProgram('python3', { args: [join(CHILDREN, 'ending-holder.py'), lock] }))
  expect(await child.line()).toBe('held')
  await eventually('it shows no open file', () => openFiles(child.pid).length === 0)
  const user = { pid: child.pid, command: 'a process that is ending', locks: [lock] }
  expect(lockUsers(dir)).toEqual([user])
  // Whoever else has the file open does not hide it.
  const other = atEnd(startProgram('flock', { args: ['-x', lock, 'true'] }))
  await eventually('another one waits', () => lockUsers(dir).some(({ pid }) => pid === other.pid))
  expect(lockUsers(dir)).toHaveLength(2)
  expect(lockUsers(dir)).toContainEqual(user)
  other.kill('SIGKILL')
  await other.exited
  expect(lockUsers(dir)).toEqual([user])
  child.kill('SIGKILL')
  await child.exited
  expect(lockUsers(dir)).toEqual([])
})

test('a lock that was passed on to a child is used by who has it open, once', async () => {
  const dir = freshDir()
  const lock = join(dir, 'server.lock')
  const child = atEnd(startProgram('python3', { args: [join(CHILDREN, 'passes-lock-on.py'), lock] }))
  const heir = Number(await child.line())
  expect(lockUsers(dir)).toMatchObject([{ pid: heir, locks: [lock] }])
  child.end()
  await child.exited
  expect(lockUsers(dir)).toEqual([])
})

test('surrealBinary reads PROCREF_SURREAL_BIN alone, says when it is missing, and refuses what cannot be started', () => {
  vi.stubEnv('PROCREF_SURREAL_BIN', process.execPath)
  expect(surrealBinary()).toBe(process.execPath)
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  vi.stubEnv('PROCREF_SURREAL_BIN', '')
  expect(surrealBinary()).toBeUndefined()
  expect(warn.mock.calls).toEqual([[expect.stringContaining('PROCREF_SURREAL_BIN is not set')]])
  vi.stubEnv('PROCREF_SURREAL_BIN', join(freshDir(), 'missing'))
  expect(() => surrealBinary()).toThrow('ENOENT')
})

test('an unprivileged program cannot open what root can', async () => {
  const dir = freshDir({ mode: 0o755 })
  openSync(join(dir, 'secret'), 'w', 0)
  const child = atEnd(startChild(obedient, { ...unprivileged(), args: [join(dir, 'secret')] }))
  child.send('open')
  expect(await child.event('failed')).toMatchObject({ code: 'EACCES' })
})

if (isRoot()) {
  test('root starts a program as another user', async () => {
    const child = atEnd(startChild(obedient, asOtherUser()))
    child.send('uid')
    expect(await child.event('uid')).toMatchObject({ uid: 65_534, home: null })
  })

  test('a small file system is full when it is full, and unmounted afterwards', async () => {
    const disk = mountTmpfs({ bytes: 64 * 1024 })
    expect(() => writeFileSync(join(disk.path, 'big'), Buffer.alloc(128 * 1024))).toThrow('ENOSPC')
    await disk[Symbol.asyncDispose]()
    expect(existsSync(disk.path)).toBe(false)
  })
} else {
  console.warn('NOT RUN: tests that start programs as another user or mount a file system, because we are not root')
}
