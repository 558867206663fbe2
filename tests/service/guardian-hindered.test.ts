import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { descriptorLimit, isAlive, staysTrue } from '@procref/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  clientsOf,
  connectedWithin,
  counted,
  DRIVERS,
  journalOf,
  nothingIsLeft,
  serviceDir,
  startClient,
  wroteRow,
} from './service.ts'

const SERVED_MS = 90_000
const TIME_LIMIT = { timeout: 180_000 }
/** A guardian looks around every 5 s: two times surely. */
const TWO_BEATS_MS = 11_000

/** The process can open nothing more until the function that is returned is called, or the test ends. */
function starve(pid: number): () => void {
  const limit =
    /^Max open files +\d+ +(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))?.[1] ?? expect.unreachable()
  const set = (files: number | string): void => {
    execFileSync('prlimit', ['--pid', String(pid), `--nofile=${files}:`])
  }
  set(descriptorLimit(pid, 0))
  const feed = (): void => {
    if (isAlive(pid)) set(limit)
  }
  onTestFinished(feed)
  return feed
}

describe.runIf(process.platform === 'linux')('what a guardian cannot look at proves nothing', () => {
  test.each(DRIVERS)('without a descriptor it ends nobody’s server (%s)', TIME_LIMIT, async (driver) => {
    const dir = serviceDir()
    const client = clientsOf(driver)(dir)
    const { guardianPid, serverPid } = await connectedWithin(SERVED_MS, client)
    await wroteRow(client)
    const feed = starve(guardianPid)
    await staysTrue(TWO_BEATS_MS, () => expect([isAlive(guardianPid), isAlive(serverPid)]).toEqual([true, true]))
    feed()
    await wroteRow(client)
    expect(await counted(client)).toBe(2)
    expect(client.stdout()).not.toMatch(/"(reconnected|lost)"/)
    client.send('close')
    await nothingIsLeft(dir)
  })

  test(
    'a directory in the place of request.json ends nobody’s server, and keeps no other guardian from coming',
    TIME_LIMIT,
    async () => {
      const dir = serviceDir()
      const client = startClient(dir)
      const { guardianPid } = await connectedWithin(SERVED_MS, client)
      mkdirSync(`${dir}/request.json`)
      await staysTrue(TWO_BEATS_MS, () => expect(isAlive(guardianPid)).toBe(true))
      process.kill(guardianPid, 'SIGKILL')
      expect(await client.event('reconnected', SERVED_MS)).toMatchObject({ epoch: 2 })
    },
  )

  test(
    'a server that only waits for what it has listen is not taken for one that listens no more',
    TIME_LIMIT,
    async () => {
      const dir = serviceDir()
      const client = startClient(dir, { driver: 'wrapper', connection: false })
      const { serverPid } = await connectedWithin(SERVED_MS, client)
      await staysTrue(TWO_BEATS_MS, () => expect(isAlive(serverPid)).toBe(true))
      expect(journalOf(dir).map(({ event }) => event)).toEqual(['server-starting', 'server-serving'])
    },
  )
})
