import { type BigIntStats, closeSync, fstatSync, mkdirSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  asOtherUser,
  atEnd,
  commandLine,
  eventually,
  freshDir,
  isRoot,
  processState,
  startChild,
  startProgram,
} from '@procref/testing'
import { expect, onTestFinished, test } from 'vitest'
import { environmentOf, holdersOf } from '../../dist/identity/file-holders.js'

const looker = new URL('../children/looker.mjs', import.meta.url)

function openFile(path: string): { readonly fd: number; readonly stat: BigIntStats } {
  const fd = openSync(path, 'a')
  onTestFinished(() => closeSync(fd))
  return { fd, stat: fstatSync(fd, { bigint: true }) }
}

if (process.platform === 'linux') {
  test('every process that has the file open is found, with its descriptor, also one that inherited it', async () => {
    const path = join(freshDir(), 'server.lock')
    const { fd, stat } = openFile(path)
    const heir = atEnd(startProgram('sleep', { args: ['300'], inherit: [fd] }))
    const { holders, supported } = await holdersOf(stat)
    expect(supported).toBe(true)
    expect(holders).toEqual(
      expect.arrayContaining([
        { pid: process.pid, fd },
        { pid: heir.pid, fd: 3 },
      ]),
    )
    expect(holders).toHaveLength(2)
    heir.kill('SIGKILL')
    await heir.exited
    expect((await holdersOf(stat)).holders).toEqual([{ pid: process.pid, fd }])
  })

  test('a deleted file is found by those who have it, and the file that replaced it is another', async () => {
    const path = join(freshDir(), 'server.lock')
    const { fd, stat } = openFile(path)
    rmSync(path)
    writeFileSync(path, '')
    const replaced = statSync(path, { bigint: true })
    expect((await holdersOf(stat)).holders).toEqual([{ pid: process.pid, fd }])
    expect((await holdersOf(replaced)).holders).toEqual([])
  })

  test('as long as a deleted file is kept open its number is given to no other', async () => {
    const dir = freshDir()
    const { fd, stat } = openFile(join(dir, 'first'))
    rmSync(join(dir, 'first'))
    for (let n = 0; n < 200; n++) {
      mkdirSync(join(dir, String(n)))
      expect(statSync(join(dir, String(n)), { bigint: true }).ino).not.toBe(stat.ino)
    }
    expect((await holdersOf(stat)).holders).toEqual([{ pid: process.pid, fd }])
  })

  test('a file of the same number on another device is another file', async () => {
    const { stat } = openFile(join(freshDir(), 'server.lock'))
    expect((await holdersOf({ dev: stat.dev + 1n, ino: stat.ino })).holders).toEqual([])
  })

  test('the search lets the event loop turn', async () => {
    const { stat } = openFile(join(freshDir(), 'server.lock'))
    // Enough descriptors for more than one turn.
    const many = Array.from({ length: 2000 }, () => openSync('/dev/null', 'r'))
    let turns = 0
    const count = setInterval(() => turns++, 0)
    try {
      await holdersOf(stat)
    } finally {
      clearInterval(count)
      for (const fd of many) closeSync(fd)
    }
    expect(turns).toBeGreaterThan(0)
  })

  test("a process's variable is read from the environment with which it was started", async () => {
    const child = atEnd(startProgram('sleep', { args: ['300'], env: { PROCREF_INSTANCE: 'nonce=1', EMPTY: '' } }))
    await eventually('it runs', () => environmentOf(child.pid, 'PROCREF_INSTANCE') !== undefined)
    expect(environmentOf(child.pid, 'PROCREF_INSTANCE')).toBe('nonce=1')
    expect(environmentOf(child.pid, 'EMPTY')).toBe('')
    expect(environmentOf(child.pid, 'PROCREF')).toBeUndefined()
    expect(environmentOf(child.pid, 'NSTANCE')).toBeUndefined()
    child.kill('SIGKILL')
    await child.exited
    expect(environmentOf(child.pid, 'PROCREF_INSTANCE')).toBeUndefined()
  })

  test('a zombie has no environment and no files', async () => {
    const { fd, stat } = openFile(join(freshDir(), 'server.lock'))
    const parent = atEnd(
      startProgram('/bin/sh', {
        args: ['-c', 'PROCREF_INSTANCE=n sleep 300 & echo $!; exec tail -f /dev/null 3>&-'],
        inherit: [fd],
      }),
    )
    const pid = Number(await parent.line())
    await eventually('the child runs', () => environmentOf(pid, 'PROCREF_INSTANCE') === 'n')
    expect((await holdersOf(stat)).holders).toContainEqual({ pid, fd: 3 })
    // Until then it has the file open itself.
    await eventually('the parent is tail', () => commandLine(parent.pid)[0] === 'tail')
    process.kill(pid, 'SIGKILL')
    await eventually('it is a zombie', () => processState(pid)?.state === 'Z')
    expect(environmentOf(pid, 'PROCREF_INSTANCE')).toBeUndefined()
    expect((await holdersOf(stat)).holders).toEqual([{ pid: process.pid, fd }])
  })

  if (isRoot()) {
    test('processes that must not be looked into are counted, not taken for innocent', async () => {
      const { stat } = openFile(join(freshDir(), 'server.lock'))
      const { unreadable } = await holdersOf(stat)
      const child = atEnd(
        startChild(looker, { ...asOtherUser(), args: [String(stat.dev), String(stat.ino), String(process.pid)] }),
      )
      const seen = await child.event<{ holders: unknown; unreadable: number; path?: string }>('looked')
      expect(seen.holders).toEqual([])
      expect(seen.unreadable).toBeGreaterThan(unreadable)
      expect(seen.path).toBeUndefined()
    })
  } else {
    console.warn('NOT RUN: files of other users’ processes, because we are not root')
  }
} else {
  test('where the system does not tell who has a file open, the answer says so', async () => {
    expect(await holdersOf({ dev: 1n, ino: 1n })).toEqual({ holders: [], unreadable: 0, supported: false })
  })
}
