import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type FileLock, identify, identifySelf, type ProcessIdentity, type ProcessTable } from '@procref/core'
import { flock } from '@procref/flock'
import { endKeeper } from '@procref/lifecycle'
import { atEnd, commandLine, eventually, freshDir, isAlive, startProgram } from '@procref/testing'
import { expect, test, vi } from 'vitest'
import { obtainServerLock } from '../../dist/guardian/server-lock.js'
import { serverLockHolders } from '../../dist/identity/server-lock-holders.js'
import { layout } from '../../dist/state/layout.js'
import type { ServerRecord } from '../../dist/state/server-record.js'

const NONCE = 'a-nonce-of-an-earlier-server'

/** Signals nobody: remembers what it was asked, and calls `signal`. */
function tableThat(signal: () => void): { readonly processes: ProcessTable; readonly asked: unknown[] } {
  const asked: unknown[] = []
  const processes: ProcessTable = {
    signalSame(recorded, name) {
      asked.push([recorded, name])
      signal()
      return true
    },
    startTicksOf: () => undefined,
    executableOf: () => undefined,
    bootId: () => '',
    namespaceOf: () => '',
  }
  return { processes, asked }
}

function locked(path: string): FileLock {
  return flock().locks.tryLock(path) ?? expect.unreachable()
}

if (process.platform === 'linux') {
  test("a keeper is ended through the backend's process table", async () => {
    const dir = freshDir()
    const lock = locked(layout(dir).keeperLock)
    const recorded: ProcessIdentity = { ...identifySelf(), startTicks: '1' }
    writeFileSync(layout(dir).keeperLock, JSON.stringify(recorded))
    const { processes, asked } = tableThat(() => lock.release())
    expect(await endKeeper(dir, { ...flock(), processes })).toBe('ended')
    expect(asked).toEqual([[recorded, 'SIGTERM']])
  })

  test("a server that outlived its guardian is finished off through the backend's process table", async () => {
    const dir = freshDir()
    // Not in the data directory, which is not there.
    const paths = { ...layout(dir), serverLock: join(dir, 'server.lock') }
    writeFileSync(paths.serverLock, '')
    const orphan = atEnd(
      startProgram('/bin/sh', {
        args: ['-c', 'exec 9<"$1"; echo open; exec sleep 300', 'sh', paths.serverLock],
        env: { PROCREF_INSTANCE: NONCE },
      }),
    )
    await orphan.line()
    // While it becomes that program it has no environment.
    await eventually('it sleeps', () => commandLine(orphan.pid)[0] === 'sleep')
    const identity = identify(orphan.pid) ?? expect.unreachable()
    let held = true
    const { processes, asked } = tableThat(() => {
      held = false
    })
    // Each refusal takes longer than a holder is given to let go.
    let now = 0
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now)
    try {
      const { locks } = flock()
      const refusing = {
        ...locks,
        tryLock(path: string) {
          now += 60_000
          return held ? undefined : locks.tryLock(path)
        },
      }
      // What matters of a record here.
      const previous = { nonce: NONCE, guardian: { ...identifySelf(), startTicks: '1' } } as ServerRecord
      const killed: number[] = []
      const lock = await obtainServerLock({ locks: refusing, processes }, paths, previous, (pid) => killed.push(pid))
      lock.release()
      expect(killed).toEqual([orphan.pid])
    } finally {
      clock.mockRestore()
    }
    expect(asked).toEqual([[identity, 'SIGKILL']])
    expect(isAlive(orphan.pid)).toBe(true)
  })

  test('who is recorded as the server is proven, also without an environment, as one that is dying', async () => {
    const dir = freshDir()
    const paths = { ...layout(dir), serverLock: join(dir, 'server.lock') }
    writeFileSync(paths.serverLock, '')
    const args = ['-c', 'exec 9<"$1"; echo open; exec sleep 300', 'sh', paths.serverLock]
    const [server, stranger] = [0, 1].map(() => atEnd(startProgram('/bin/sh', { args })))
    if (server === undefined || stranger === undefined) throw new Error('nobody was started')
    await Promise.all([server.line(), stranger.line()])
    const identity = identify(server.pid) ?? expect.unreachable()
    const reused = { ...(identify(stranger.pid) ?? expect.unreachable()), startTicks: '1' }
    // What matters of a record here.
    const record = { nonce: NONCE, server: identity, previous: { nonce: NONCE, server: reused } } as ServerRecord
    const holders = await serverLockHolders(paths, record)
    expect(holders.find(({ pid }) => pid === server.pid)?.orphan).toEqual(identity)
    expect(holders.find(({ pid }) => pid === stranger.pid)).not.toHaveProperty('orphan')
  })

  test('a holder that cannot be told from a stranger, because it was just ending, is looked at once more', async () => {
    const dir = freshDir()
    const paths = { ...layout(dir), serverLock: join(dir, 'server.lock') }
    writeFileSync(paths.serverLock, '')
    const args = ['-c', 'exec 9<"$1"; echo open; exec sleep 300', 'sh', paths.serverLock]
    await atEnd(startProgram('/bin/sh', { args })).line()
    let now = 0
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now)
    try {
      const { locks } = flock()
      const refusingOnce = {
        ...locks,
        tryLock(path: string) {
          now += 60_000
          return now === 60_000 ? undefined : locks.tryLock(path)
        },
      }
      const { processes, asked } = tableThat(() => {})
      const lock = await obtainServerLock({ locks: refusingOnce, processes }, paths, undefined, () => {})
      expect(lock.isCurrent()).toBe(true)
      lock.release()
      expect(asked).toEqual([])
    } finally {
      clock.mockRestore()
    }
  })
} else {
  console.warn(`NOT RUN: signals through a process table, because this is ${process.platform}`)
}
