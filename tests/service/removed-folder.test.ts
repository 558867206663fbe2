import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { atEnd, type Child, freshDir, isAlive, lockUsers, servantsOf, startChild, testsInTurn } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import {
  clientsOf,
  connected,
  counted,
  DRIVERS,
  killed,
  killTogether,
  nothingIsLeft,
  serviceDir,
  stopped,
  wroteRow,
} from './service.ts'
import { Stops } from './stops.ts'

const ROOT = resolve(import.meta.dirname, '../..')

/**
 * A complete installation in a folder of its own, as `npx` makes one and may remove it at any time. Without what tools keep beside the packages: other
 * tests make that meanwhile (tests/python-sdk/environment.ts), and what goes away while it is copied is an error.
 */
function installation(): string {
  const folder = freshDir()
  mkdirSync(`${folder}/tests`)
  mkdirSync(`${folder}/node_modules`)
  const modules = readdirSync(`${ROOT}/node_modules`).filter((name) => !/^\.(cache|vite)/.test(name))
  execFileSync('cp', ['-a', ...modules.map((name) => `${ROOT}/node_modules/${name}`), `${folder}/node_modules`])
  execFileSync('cp', ['-a', `${ROOT}/packages`, folder])
  execFileSync('cp', ['-a', `${ROOT}/tests/service`, `${folder}/tests/`])
  return folder
}

describe.each(DRIVERS)('a client whose folder is removed (%s)', (driver) => {
  const start = clientsOf(driver)
  const testInTurn = testsInTurn(test, driver, DRIVERS)

  function clientFrom(folder: string, dir: string, stops?: Stops): Child {
    const options = JSON.stringify({ driver, lingerMs: 500, stops: stops?.dir })
    return atEnd(startChild(`${folder}/tests/service/children/client.mjs`, { args: [dir, options] }))
  }

  testInTurn(
    'after it launched the guardian: a killed server and a killed guardian come back, and nothing is left',
    async () => {
      const dir = serviceDir()
      const folder = installation()
      const launcher = clientFrom(folder, dir)
      const { guardianPid, serverPid, port } = await connected(launcher)
      const other = start(dir)
      await connected(other)
      await wroteRow(launcher)
      rmSync(folder, { recursive: true })

      process.kill(serverPid, 'SIGKILL')
      const back = await other.event<{ epoch: number; port: number; serverPid: number }>('reconnected')
      expect(back).toMatchObject({ epoch: 2, port })
      // An executable is brought back by the guardian that came from the removed folder: it had loaded all it needs.
      expect(isAlive(guardianPid)).toBe(driver === 'binary')
      await wroteRow(other)
      expect(await counted(other)).toBe(2)

      await killed(launcher)
      killTogether(...servantsOf(dir))
      expect(await other.event('reconnected')).toMatchObject({ epoch: 3, port })
      expect(await counted(other)).toBe(2)
      await killed(other)
      await stopped(dir, port)
      await nothingIsLeft(dir)
    },
  )

  testInTurn(
    'while the guardian is elected: it starts the server all the same, having loaded all it needs',
    async () => {
      const dir = serviceDir()
      const folder = installation()
      const stops = new Stops()
      stops.arm('elected')
      const launcher = clientFrom(folder, dir, stops)
      const pid = await stops.reached('elected')
      await killed(launcher)
      const other = start(dir)
      await other.event('progress')
      rmSync(folder, { recursive: true })
      process.kill(pid, 'SIGCONT')
      const { guardianPid, port } = await connected(other)
      expect(guardianPid).toBe(pid)
      await wroteRow(other)
      expect(await counted(other)).toBe(1)
      await killed(other)
      await stopped(dir, port)
      await nothingIsLeft(dir)
    },
  )

  testInTurn(
    'before it launches the guardian: an error that names the missing file, and its slot is free again',
    async () => {
      const dir = serviceDir()
      const folder = installation()
      rmSync(`${folder}/packages/lifecycle/dist/guardian/main.js`)
      const client = clientFrom(folder, dir)
      await expect(connected(client)).rejects.toThrow(/lifecycle\/dist\/guardian\/main\.js.*PROCREF_GUARDIAN_LAUNCH/s)
      expect(lockUsers(dir)).toEqual([])
      expect(servantsOf(dir)).toEqual([])
      await connected(start(dir))
    },
  )
})
