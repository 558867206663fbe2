import { readdirSync, rmSync, statSync } from 'node:fs'
import { type Child, eventually, freeze, isAlive, shareOf, testsInTurn } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { CRASH_LOOP_OF_TEN_MINUTES, copyOfInstallation } from './installation.ts'
import {
  clientsOf,
  connected,
  connectedWithin,
  counted,
  DRIVERS,
  journalOf,
  killed,
  serviceDir,
  stateOf,
  stopped,
  wroteRow,
} from './service.ts'
import { Stops } from './stops.ts'
import { clientsOfInstallation } from './versions.ts'

describe.each(DRIVERS)('rules of the service (%s)', (driver) => {
  const start = clientsOf(driver)
  const testInTurn = testsInTurn(test, driver, DRIVERS)

  testInTurn(
    'a server that dies again and again is given up: its leases are lost with the reason, and a connect() soon after is refused with it',
    {
      timeout: 300_000,
    },
    async () => {
      // Five starts within 60 s are too many. On a busy machine they take longer.
      const installation = copyOfInstallation('tests/service/children')
      installation.replace(CRASH_LOOP_OF_TEN_MINUTES)
      const startHere = (dir: string): Child => clientsOfInstallation(installation)(dir, { driver })
      const dir = serviceDir()
      const client = startHere(dir)
      await connected(client)
      await wroteRow(client)
      const lost = client.event<{ code: string; text: string }>('lost', 200_000)
      let gaveUp = false
      lost.then(
        () => {
          gaveUp = true
        },
        () => {},
      )
      for (let epoch = 1; !gaveUp && epoch <= 10; epoch++) {
        await eventually('it serves, or is given up', () => gaveUp || isServing(dir, epoch))
        if (gaveUp) break
        const pid = stateOf(dir).server?.pid ?? expect.unreachable()
        process.kill(pid, 'SIGKILL')
        await eventually('it is dead', () => !isAlive(pid))
      }
      expect(await lost).toMatchObject({ code: 'PROCREF_CRASH_LOOP', text: expect.stringContaining(dir) })
      expect(stateOf(dir).state).toBe('failed')
      expect(journalOf(dir).at(-1)).toMatchObject({ event: 'server-failed', reason: 'crash-loop' })
      // A start that is refused is no further one: asking again postpones nothing.
      const { starts } = stateOf(dir)
      await expect(connected(startHere(dir))).rejects.toThrow(/PROCREF_CRASH_LOOP/)
      expect(stateOf(dir)).toMatchObject({ state: 'failed', starts })
    },
  )

  test.each(shareOf(['elected', 'alive'] as const, driver, DRIVERS))(
    'a guardian checks its office before each act: usurped while it stood still at %s, it touches nothing and leaves',
    async (step) => {
      const dir = serviceDir()
      const stops = new Stops()
      stops.arm(step)
      const launcher = stops.clientsOf(driver)(dir)
      const pid = await stops.reached(step)
      rmSync(`${dir}/guardian.lock`)
      // Whoever launched it has start.lock; with it gone the next one need not be patient.
      await killed(launcher)
      const client = start(dir)
      const { guardianPid } = await connected(client)
      expect(guardianPid).not.toBe(pid)
      const before = stateOf(dir)
      const alive = aliveFiles(dir)
      process.kill(pid, 'SIGCONT')
      await eventually('it has left', () => !isAlive(pid))
      expect(stateOf(dir)).toEqual(before)
      // Its own may be there as well, for the next guardian to remove.
      expect(aliveFiles(dir)).toEqual(expect.arrayContaining([...alive]))
      await wroteRow(client)
    },
  )

  testInTurn(
    'never two servers on one data directory: a guardian finds the server of another one that lives, and names it',
    {
      timeout: 240_000,
    },
    async () => {
      const dir = serviceDir()
      const stops = new Stops()
      stops.arm('recorded')
      const launcher = stops.clientsOf(driver)(dir)
      const pid = await stops.reached('recorded')
      rmSync(`${dir}/guardian.lock`)
      // Its alive lock as well, or the next client would wait for it.
      rmSync(`${dir}/alive-${stateOf(dir).nonce}.lock`)
      await killed(launcher)
      // It waits 10 s for the lock before it looks who has it.
      await expect(connectedWithin(90_000, start(dir))).rejects.toThrow(
        new RegExp(`process ${pid}.*PROCREF_SERVER_LOCK_HELD`, 's'),
      )
      process.kill(pid, 'SIGCONT')
      await eventually('the usurped one has left, with its server', () => !isAlive(pid))
      await connected(start(dir))
    },
  )

  testInTurn(
    'a pool whose folder was deleted before the guardian opens it is made again in the size that its users know',
    async () => {
      const dir = serviceDir()
      const stops = new Stops()
      stops.arm('start-lock')
      const first = stops.clientsOf(driver)(dir, { slots: 7 })
      await stops.reached('start-lock')
      rmSync(`${dir}/slots`, { recursive: true })
      first.kill('SIGCONT')
      await expect(connected(first)).rejects.toThrow(/PROCREF_SLOT_LOST/)
      await connected(start(dir, { slots: 7 }))
      expect(stateOf(dir).settings).toMatchObject({ slots: 7 })
    },
  )

  testInTurn('a restart uses the recorded configuration, never its launcher’s', async () => {
    const dir = serviceDir()
    const first = start(dir)
    const { guardianPid } = await connected(first)
    await wroteRow(first)
    const other = start(dir, { storage: 'memory', whenDifferent: 'join' })
    expect(await connected(other)).toMatchObject({ durable: true })
    await freeze(first.pid)
    process.kill(guardianPid, 'SIGKILL')
    expect(await other.event('reconnected')).toMatchObject({ epoch: 2 })
    expect(await counted(other)).toBe(1)
    first.kill('SIGCONT')
    await first.event('reconnected')
    expect(await counted(first)).toBe(1)
  })

  testInTurn(
    'whoever asks for another sync or other capabilities than the server has is told each difference',
    async () => {
      const dir = serviceDir()
      await connected(start(dir, { capabilities: { network: ['a.example'] } }))
      const capabilities = { network: ['b.example'], experimental: ['files'] }
      const refused = connected(start(dir, { sync: 'never', capabilities }))
      await expect(refused).rejects.toThrow(
        /PROCREF_CONFIG_MISMATCH.*sync is \\?"every\\?", asked for was \\?"never.*capabilities\.network is .*a\.example.*b\.example.*capabilities\.experimental is \[\], asked for was .*files/s,
      )
    },
  )

  testInTurn('whoever asks for the same, or for nothing of it, shares the server', async () => {
    const dir = serviceDir()
    const network = ['a.example', '10.0.0.0/8']
    const first = await connected(start(dir, { sync: '2s', capabilities: { network } }))
    const same = await connected(start(dir, { sync: '2s', capabilities: { network: network.toReversed() } }))
    expect([same.serverPid, (await connected(start(dir))).serverPid]).toEqual([first.serverPid, first.serverPid])
  })

  testInTurn('a restart has the sync and the capabilities of the server that died', async () => {
    const dir = serviceDir()
    const client = start(dir, { sync: '2s', capabilities: { network: true } })
    const { serverPid } = await connected(client)
    const { settings } = stateOf(dir).driver
    process.kill(serverPid, 'SIGKILL')
    await client.event('reconnected')
    expect(stateOf(dir).driver.settings).toEqual(settings)
    expect(settings).toMatchObject({ sync: '2s', 'capabilities.network': true })
  })

  testInTurn('a database whose head is missing is refused with the reason, which the journal has as well', async () => {
    const dir = serviceDir()
    const first = start(dir)
    const { port } = await connected(first)
    await wroteRow(first)
    await killed(first)
    await stopped(dir, port)
    rmSync(`${dir}/data/db/CURRENT`)
    await expect(connected(start(dir))).rejects.toThrow(/PROCREF_DATABASE_DAMAGED.*CURRENT is missing/s)
    expect(journalOf(dir).at(-1)).toMatchObject({ event: 'server-failed', reason: 'database-damaged' })
  })

  testInTurn('namespace and database are never a mismatch: they are made on connect', async () => {
    const dir = serviceDir()
    const first = start(dir)
    const other = start(dir, { namespace: 'mine', database: 'my own' })
    await Promise.all([connected(first), connected(other)])
    await wroteRow(first)
    expect(await counted(first)).toBe(1)
    expect(await counted(other)).toBe(0)
  })

  testInTurn('the first client’s settings win, and whoever comes later without a wish joins', async () => {
    const dir = serviceDir()
    const first = start(dir, { slots: 3, lingerMs: 60_000 })
    await connected(first)
    await connected(start(dir, { lingerMs: 0 }))
    expect(stateOf(dir)).toMatchObject({ state: 'serving', settings: { lingerMs: 60_000 } })
  })
})

function isServing(dir: string, epoch: number): boolean {
  const state = stateOf(dir)
  return state.state === 'serving' && state.epoch === epoch
}

/** The alive files, each with what tells it from another file of that name. */
function aliveFiles(dir: string): readonly string[] {
  return readdirSync(dir)
    .filter((name) => /^alive-.*\.lock$/.test(name))
    .map((name) => {
      const { ino, birthtimeMs } = statSync(`${dir}/${name}`)
      return `${name} ${ino} ${birthtimeMs}`
    })
}
