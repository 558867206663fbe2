import { existsSync, readFileSync } from 'node:fs'
import { eventually, isAlive, servantsOf, testsInTurn } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { done, procref, refused } from './restarts.ts'
import { clientsOf, connected, counted, DRIVERS, killed, serviceDir, stateOf, stopped, wroteRow } from './service.ts'
import { clientsOfVersion, otherVersion } from './versions.ts'

/** Ours is 0.0.0 and speaks the protocols 1 to 2. */
const OUR_RECORD = { protocol: 1, newestProtocol: 2, procref: '0.0.0' }

describe.each(DRIVERS)('two versions of procref in one directory (%s)', (driver) => {
  const start = clientsOf(driver)
  const testInTurn = testsInTurn(test, driver, DRIVERS)

  describe('with a protocol in common', () => {
    testInTurn(
      'an old guardian serves new clients; `procref restart` of the new version brings its code, and old clients go on',
      async () => {
        const dir = serviceDir()
        const next = otherVersion({ version: '0.9.0', oldest: 2, newest: 3 })
        const old = start(dir)
        const { guardianPid, port } = await connected(old)
        expect(stateOf(dir)).toMatchObject(OUR_RECORD)
        await wroteRow(old)
        const young = clientsOfVersion(next, driver)(dir)
        expect(await connected(young)).toMatchObject({ guardianPid, epoch: 1 })
        await wroteRow(young)
        const { findings } = await done<{ findings: { code: string; found: string }[] }>(next.procref(dir, 'doctor'))
        expect(findings.find(({ code }) => code === 'other-version')?.found).toMatch(
          /of procref 0\.0\.0, and this is 0\.9\.0/,
        )

        const { server, previous } = await done(next.procref(dir))
        expect(server).toMatchObject({ epoch: 2, port, procref: '0.9.0' })
        expect(previous).toMatchObject({ procref: '0.0.0', guardianPid })
        expect(stateOf(dir)).toMatchObject({ protocol: 2, newestProtocol: 3, procref: '0.9.0' })
        for (const client of [old, young]) {
          expect(await client.event('reconnected')).toMatchObject({ epoch: 2, port })
          await wroteRow(client)
        }
        const late = start(dir)
        expect(await connected(late)).toMatchObject({ epoch: 2 })
        expect(await counted(late)).toBe(4)
      },
    )

    testInTurn(
      'a new guardian that is killed is followed by one of an old client, with the next epoch and every row',
      async () => {
        const dir = serviceDir()
        const next = otherVersion({ version: '0.9.0', oldest: 1, newest: 3 })
        const young = clientsOfVersion(next, driver)(dir)
        const { guardianPid, port } = await connected(young)
        await wroteRow(young)
        const old = start(dir)
        await connected(old)
        await killed(young)
        process.kill(guardianPid, 'SIGKILL')
        expect(await old.event('reconnected')).toMatchObject({ epoch: 2, port })
        expect(stateOf(dir)).toMatchObject(OUR_RECORD)
        expect(await counted(old)).toBe(1)
      },
    )
  })

  describe('an old guardian, and a client that speaks only newer protocols', () => {
    const next = { version: '9.9.9', oldest: 3, newest: 3 }

    testInTurn(
      'the client is refused with both versions and what to do, its slot is free again, and nobody else is disturbed',
      async () => {
        const dir = serviceDir()
        const old = start(dir)
        const { guardianPid } = await connected(old)
        const young = clientsOfVersion(otherVersion(next), driver)(dir)
        await expect(connected(young)).rejects.toThrow(
          new RegExp(
            `PROCREF_OLDER_PROTOCOL.*pid ${guardianPid}.*procref 0\\.0\\.0 .*up to 2;.*9\\.9\\.9, protocols 3 to 3.*procref restart`,
            's',
          ),
        )
        await young.exited
        expect(await done(procref(dir, 'status'))).toMatchObject({ users: 1, server: { epoch: 1, guardianPid } })
        await wroteRow(old)
      },
    )

    testInTurn(
      'its `procref restart` replaces the guardian; leases that are as old are lost, with what to do',
      async () => {
        const dir = serviceDir()
        const version = otherVersion(next)
        // Nobody has a slot for a moment.
        const old = start(dir, { lingerMs: 60_000 })
        await connected(old)
        await wroteRow(old)
        expect(await done(version.procref(dir))).toMatchObject({
          restarted: true,
          server: { epoch: 2, procref: '9.9.9' },
        })
        const { code, text } = await old.event<{ code: string; text: string }>('lost')
        expect(code).toBe('PROCREF_NEWER_PROTOCOL')
        expect(text).toMatch(
          /procref 9\.9\.9 with protocol 3; this procref \(0\.0\.0\) knows protocols up to 2\. Upgrade/,
        )
        const young = clientsOfVersion(version, driver)(dir)
        expect(await connected(young)).toMatchObject({ epoch: 2 })
        expect(await counted(young)).toBe(1)
      },
    )

    testInTurn('once the old guardian has gone the client starts the next one, on its data', async () => {
      const dir = serviceDir()
      const old = start(dir)
      const { port } = await connected(old)
      await wroteRow(old)
      await killed(old)
      await stopped(dir, port)
      const young = clientsOfVersion(otherVersion(next), driver)(dir)
      expect(await connected(young)).toMatchObject({ epoch: 2, port })
      expect(await counted(young)).toBe(1)
    })
  })

  describe('a guardian that speaks only newer protocols, and an old client', () => {
    const next = { version: '9.9.9', oldest: 3, newest: 4 }
    const REFUSED =
      /PROCREF_NEWER_PROTOCOL.*procref 9\.9\.9 with protocol 3; this procref \(0\.0\.0\).*up to 2.*Upgrade/s

    /** The old client, and each command that could write, leave the record as it is, to the byte, and start nothing. */
    async function isLeftAlone(dir: string): Promise<void> {
      const record = readFileSync(`${dir}/server.json`)
      const servants = servantsOf(dir)
      await expect(connected(start(dir))).rejects.toThrow(REFUSED)
      for (const command of ['restart', 'start', 'stop', 'status']) {
        expect(await refused(procref(dir, command)), command).toMatchObject({ code: 'PROCREF_NEWER_PROTOCOL' })
      }
      expect(readFileSync(`${dir}/server.json`).equals(record)).toBe(true)
      expect(existsSync(`${dir}/request.json`)).toBe(false)
      expect(servantsOf(dir)).toEqual(servants)
    }

    testInTurn('while it serves, and once it was killed: the record is left as it is', async () => {
      const dir = serviceDir()
      const version = otherVersion(next)
      const young = clientsOfVersion(version, driver)(dir)
      const { guardianPid } = await connected(young)
      await wroteRow(young)
      await isLeftAlone(dir)
      await killed(young)
      process.kill(guardianPid, 'SIGKILL')
      await eventually('nobody serves', () => !isAlive(guardianPid) && servantsOf(dir).length === 0)
      await isLeftAlone(dir)
      const again = clientsOfVersion(version, driver)(dir)
      expect(await connected(again)).toMatchObject({ epoch: 2 })
      expect(await counted(again)).toBe(1)
    })

    testInTurn('once it has stopped: the record is left as it is', async () => {
      const dir = serviceDir()
      const young = clientsOfVersion(otherVersion(next), driver)(dir)
      const { port } = await connected(young)
      await killed(young)
      await stopped(dir, port)
      await eventually('nobody serves', () => servantsOf(dir).length === 0)
      await isLeftAlone(dir)
    })
  })

  testInTurn(
    'a guardian that does not know the request is not asked: an error says what to do, and nothing has changed',
    async () => {
      const dir = serviceDir()
      const first = otherVersion({ version: '0.0.1', oldest: 1, newest: 1 })
      const old = clientsOfVersion(first, driver)(dir)
      const { guardianPid } = await connected(old)
      const ours = start(dir)
      expect(await connected(ours)).toMatchObject({ guardianPid })
      const { code, message } = await refused(procref(dir))
      expect(code).toBe('PROCREF_OLDER_PROTOCOL')
      expect(message).toMatch(
        new RegExp(
          `pid ${guardianPid}.*procref 0\\.0\\.1 .*up to 1;.*0\\.0\\.0, protocols 1 to 2.*needs 2.*procref stop --force`,
          's',
        ),
      )
      expect(existsSync(`${dir}/request.json`)).toBe(false)
      expect(stateOf(dir)).toMatchObject({ state: 'serving', epoch: 1 })
      await wroteRow(old)
      // What it says helps.
      await done(procref(dir, 'stop', '--force'))
      await Promise.all([old.event('lost'), ours.event('lost')])
      const next = start(dir)
      expect(await connected(next)).toMatchObject({ epoch: 2 })
      expect(stateOf(dir)).toMatchObject(OUR_RECORD)
      expect(await counted(next)).toBe(1)
    },
  )
})
