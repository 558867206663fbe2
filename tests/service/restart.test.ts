import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { atEnd, type Child, eventually, freeze, isAlive, shareOf, startProgram, testsInTurn } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { done, procref, type Restarted, refused } from './restarts.ts'
import {
  type Connected,
  clientsOf,
  connected,
  counted,
  DRIVERS,
  type Driver,
  journalOf,
  killed,
  serviceDir,
  stateOf,
  stopped,
  wroteRow,
} from './service.ts'
import { START_STEPS, type Step, Stops } from './stops.ts'

const starting = Object.keys(START_STEPS) as (keyof typeof START_STEPS)[]

/** What the old guardian comes through: nothing is proven to be empty, and a server that had server.lock itself leaves it to be taken again. */
function leaving(driver: Driver, turn?: number): readonly Step[] {
  const everybody = shareOf(['stopping', 'told', 'ended'] as const, driver, DRIVERS, turn)
  return [...everybody, ...(driver === 'binary' ? (['before-server-lock', 'server-lock'] as const) : [])]
}

/** A restart whose next guardian, not the old one, stands still in `step`. */
async function restartUntil(dir: string, stops: Stops, step: Step): Promise<{ command: Child; pid: number }> {
  // Where the old one does not come through.
  const first = step === 'elected' ? step : 'alive'
  stops.arm(first)
  const command = procref(dir)
  const pid = await stops.reached(first)
  if (step === first) return { command, pid }
  stops.arm(step)
  process.kill(pid, 'SIGCONT')
  expect(await stops.reached(step)).toBe(pid)
  return { command, pid }
}

interface Back {
  readonly epoch: number
  readonly port: number
}

/** How often the record says that the server was stopped for a restart. */
function restartsOf(dir: string): number {
  return journalOf(dir).filter(({ event, reason }) => event === 'server-stopping' && reason === 'restart').length
}

/** Remembers whether the lease was lost, which is never to happen here. */
function watchLost(client: Child): () => boolean {
  let lost = false
  client.event('lost').then(
    () => {
      lost = true
    },
    () => {},
  )
  return () => lost
}

/** A client with a row written, of which it is told what becomes. */
async function usedService(driver: Driver): Promise<{
  readonly dir: string
  readonly stops: Stops
  readonly client: Child
  readonly before: Connected
  readonly lost: () => boolean
}> {
  const dir = serviceDir()
  const stops = new Stops()
  const client = stops.clientsOf(driver)(dir)
  const before = await connected(client)
  await wroteRow(client)
  return { dir, stops, client, before, lost: watchLost(client) }
}

/** The client has the next server, on the port that it had, with its row. */
async function goesOn(client: Child, before: Connected, lost: () => boolean): Promise<void> {
  expect((await client.event<Back>('reconnected')).port).toBe(before.port)
  expect(await counted(client)).toBe(1)
  await wroteRow(client)
  expect(lost()).toBe(false)
}

/** Whoever finds start.lock held goes on without it, at the earliest after so long. */
const TURN_MS = 10_000
const MOST_TRIES = 4

/**
 * Two restarts at once. Where the machine is so busy that the second one has not waited for its turn, and both had the same restart, which is as
 * right, it is tried again.
 */
async function twoAtOnce(
  driver: Driver,
): Promise<Awaited<ReturnType<typeof usedService>> & { readonly results: readonly Restarted[] }> {
  for (let tries = 1; ; tries++) {
    const service = await usedService(driver)
    const began = performance.now()
    const results = await Promise.all([procref(service.dir), procref(service.dir)].map((command) => done(command)))
    const tookMs = performance.now() - began
    if (restartsOf(service.dir) === 2 || tookMs < TURN_MS || tries === MOST_TRIES) return { ...service, results }
  }
}

describe.each(DRIVERS)('procref restart (%s)', (driver) => {
  const testInTurn = testsInTurn(test, driver, DRIVERS)
  const start = clientsOf(driver)

  test('under three clients that write: every acknowledged row is there, no lease is lost, another guardian has the port', async () => {
    const dir = serviceDir()
    const clients = [start(dir), start(dir), start(dir)]
    const [first] = await Promise.all(clients.map(connected))
    if (first === undefined) throw new Error('no client')
    const lost = clients.map(watchLost)
    for (const client of clients) client.send('write')
    await Promise.all(clients.map((client) => client.event('writing')))
    const result = await done(procref(dir))
    expect(result).toMatchObject({
      state: 'serving',
      users: 3,
      restarted: true,
      server: { epoch: 2, port: first.port },
      previous: { epoch: 1, guardianPid: first.guardianPid },
    })
    expect(result.server?.guardianPid).not.toBe(first.guardianPid)
    expect(isAlive(first.guardianPid)).toBe(false)
    expect(isAlive(first.serverPid)).toBe(false)
    const back = await Promise.all(clients.map((client) => client.event<Back>('reconnected')))
    expect(back.map(({ epoch, port }) => ({ epoch, port }))).toEqual(back.map(() => ({ epoch: 2, port: first.port })))
    for (const client of clients) client.send('stop')
    const wrote = await Promise.all(clients.map((client) => client.event<{ acknowledged: number }>('wrote')))
    clients[0]?.send('rows')
    const { rows } = (await clients[0]?.event<{ rows: { p: number; c: number }[] }>('rows')) ?? { rows: [] }
    for (const [i, { acknowledged }] of wrote.entries()) {
      const there = rows.find(({ p }) => p === clients[i]?.pid)?.c ?? 0
      expect(there).toBeGreaterThanOrEqual(acknowledged)
      // A write in flight may be there without having been acknowledged.
      expect(there).toBeLessThanOrEqual(acknowledged + 1)
    }
    expect(lost.map((was) => was())).toEqual([false, false, false])
    const why = journalOf(dir).map(({ event, reason }) => `${event} ${reason}`)
    expect(why).toContain('server-stopping restart')
    expect(why).toContain('server-starting restart')
    expect(stateOf(dir)).not.toHaveProperty('restarting')
  })

  testInTurn('two at once: one after the other, and no lease is lost', { timeout: 600_000 }, async () => {
    const { results, dir, client, before, lost } = await twoAtOnce(driver)
    expect(results.map(({ restarted }) => restarted)).toEqual([true, true])
    expect(results.map(({ previous }) => previous?.epoch).sort()).toEqual([1, 2])
    expect(restartsOf(dir)).toBe(2)
    await eventually('the client is there', async () => {
      await client.event('reconnected')
      return stateOf(dir).epoch === 3
    })
    expect(stateOf(dir)).toMatchObject({ state: 'serving', epoch: 3, port: before.port })
    await wroteRow(client)
    expect(await counted(client)).toBe(2)
    expect(lost()).toBe(false)
  })

  testInTurn('with every slot in use', async () => {
    const dir = serviceDir()
    const client = start(dir, { slots: 1 })
    const before = await connected(client)
    await wroteRow(client)
    expect(await done(procref(dir))).toMatchObject({ restarted: true, users: 1, server: { epoch: 2 } })
    await goesOn(client, before, watchLost(client))
  })

  testInTurn('while the server lingers, with nobody there: it is replaced, and stops as it would have', async () => {
    const dir = serviceDir()
    const client = start(dir, { lingerMs: 20_000 })
    const { port } = await connected(client)
    await killed(client)
    expect(await done(procref(dir))).toMatchObject({ restarted: true, users: 0, server: { epoch: 2, port } })
    expect(stateOf(dir)).toMatchObject({ settings: { lingerMs: 20_000 } })
  })

  testInTurn('the next server has the settings of the one before', async () => {
    const dir = serviceDir()
    const client = start(dir, { sync: '2s', capabilities: { network: true }, lingerMs: 700 })
    await connected(client)
    const { driver: before, settings } = stateOf(dir)
    await done(procref(dir))
    expect(stateOf(dir)).toMatchObject({ epoch: 2, driver: { settings: before.settings }, settings })
    expect(before.settings).toMatchObject({ sync: '2s', 'capabilities.network': true })
  })

  testInTurn('what would keep the next server from starting is told before anything is stopped', async () => {
    const dir = serviceDir()
    const client = start(dir)
    const { guardianPid } = await connected(client)
    const path = `${dir}/data/engine.json`
    const engine = JSON.parse(readFileSync(path, 'utf8')) as { version: string }
    for (const [version, code] of [
      ['99.0.0', 'PROCREF_NEWER_DATA'],
      ['3.0.0-beta.1', 'PROCREF_UPGRADE_NEEDED'],
    ] as const) {
      writeFileSync(path, JSON.stringify({ ...engine, version }))
      expect(await refused(procref(dir))).toMatchObject({ code })
      expect(stateOf(dir)).toMatchObject({ state: 'serving', epoch: 1, guardian: { pid: guardianPid } })
    }
    await wroteRow(client)
  })

  testInTurn(
    'a guardian that is stopped (SIGSTOP) is named in bounded time, and does not restart when it goes on',
    async () => {
      const { dir, client, before, lost } = await usedService(driver)
      await freeze(before.guardianPid)
      const { code, message } = await refused(procref(dir))
      expect(code).toBe('PROCREF_RESTART_TIMEOUT')
      expect(message).toMatch(
        new RegExp(`guardian of ${dir} \\(pid ${before.guardianPid}\\).*is stopped \\(SIGSTOP\\).*was withdrawn`, 's'),
      )
      expect(existsSync(`${dir}/request.json`)).toBe(false)
      process.kill(before.guardianPid, 'SIGCONT')
      await wroteRow(client)
      expect(await done(procref(dir))).toMatchObject({ restarted: true, server: { epoch: 2 } })
      expect(restartsOf(dir)).toBe(1)
      await client.event('reconnected')
      expect(await counted(client)).toBe(2)
      expect(lost()).toBe(false)
    },
  )

  describe('kill -9', () => {
    testInTurn('to the command before it asked: nothing has changed, and the next one does it', async () => {
      const { dir, stops, client, before, lost } = await usedService(driver)
      stops.arm('start-lock')
      const command = procref(dir)
      expect(await stops.reached('start-lock')).toBe(command.pid)
      await killed(command)
      expect(stateOf(dir)).toMatchObject({ state: 'serving', epoch: 1 })
      expect(await done(procref(dir))).toMatchObject({ restarted: true, server: { epoch: 2 } })
      await goesOn(client, before, lost)
    })

    test.each(leaving(driver))('to the guardian at %s: the command launches the next one', async (step) => {
      const { dir, stops, client, before, lost } = await usedService(driver)
      stops.arm(step)
      const command = procref(dir)
      expect(await stops.reached(step)).toBe(before.guardianPid)
      process.kill(before.guardianPid, 'SIGKILL')
      const { server } = await done(command)
      expect(server).toMatchObject({ epoch: 2, port: before.port })
      await goesOn(client, before, lost)
    })

    test.each(leaving(driver, 1))(
      'to the command with the guardian at %s: a client launches the next one',
      async (step) => {
        const { dir, stops, client, before, lost } = await usedService(driver)
        stops.arm(step)
        const command = procref(dir)
        expect(await stops.reached(step)).toBe(before.guardianPid)
        await killed(command)
        process.kill(before.guardianPid, 'SIGCONT')
        await goesOn(client, before, lost)
        expect(stateOf(dir)).toMatchObject({ state: 'serving', epoch: 2 })
        expect(restartsOf(dir)).toBe(1)
      },
    )

    test.each(leaving(driver))('to both with the guardian at %s: a client launches the next one', async (step) => {
      const { dir, stops, client, before, lost } = await usedService(driver)
      stops.arm(step)
      const command = procref(dir)
      expect(await stops.reached(step)).toBe(before.guardianPid)
      await killed(command)
      process.kill(before.guardianPid, 'SIGKILL')
      await goesOn(client, before, lost)
      expect(stateOf(dir)).toMatchObject({ state: 'serving', epoch: 2 })
    })

    test.each(shareOf(starting, driver, DRIVERS))(
      'to the next guardian at %s: there is another one, and the command says so',
      async (step) => {
        const { dir, stops, client, before, lost } = await usedService(driver)
        const { command, pid } = await restartUntil(dir, stops, step)
        process.kill(pid, 'SIGKILL')
        const { restarted, server } = await done(command)
        expect({ restarted, port: server?.port }).toEqual({ restarted: true, port: before.port })
        expect(server?.guardianPid).not.toBe(pid)
        await goesOn(client, before, lost)
      },
    )

    // With the command gone it is the death of a guardian like any other: see guardian-killed.test.ts for each of its steps.
    test.each(shareOf(['elected', 'launching'] as const, driver, DRIVERS, 1))(
      'to the command and the next guardian at %s: a client launches another one',
      async (step) => {
        const { dir, stops, client, before, lost } = await usedService(driver)
        const { command, pid } = await restartUntil(dir, stops, step)
        await killed(command)
        process.kill(pid, 'SIGKILL')
        await goesOn(client, before, lost)
        expect(stateOf(dir).state).toBe('serving')
      },
    )
  })

  /*
   *   guardian stops its server, stands still
   *   command is killed: whoever comes first launches the next guardian
   *   that is a client with other settings, who had joined
   */
  testInTurn(
    'a client that launches the next guardian for a command that was killed keeps the recorded settings',
    async () => {
      const dir = serviceDir()
      const stops = new Stops()
      const first = stops.clientsOf(driver)(dir)
      const { guardianPid } = await connected(first)
      await wroteRow(first)
      const other = stops.clientsOf(driver)(dir, { storage: 'memory', whenDifferent: 'join' })
      expect(await connected(other)).toMatchObject({ durable: true })
      stops.arm('ended')
      const command = procref(dir)
      await stops.reached('ended')
      await killed(command)
      await freeze(first.pid)
      process.kill(guardianPid, 'SIGCONT')
      expect(await other.event('reconnected')).toMatchObject({ epoch: 2 })
      expect(await counted(other)).toBe(1)
      first.kill('SIGCONT')
      await first.event('reconnected')
      expect(await counted(first)).toBe(1)
    },
  )
})

test('start.lock in the hands of somebody who does nothing delays procref restart, and no more', async () => {
  const dir = serviceDir()
  const client = clientsOf('embedded')(dir)
  const before = await connected(client)
  await wroteRow(client)
  const script = 'exec 9<>"$1"; flock -n 9 && echo locked; exec sleep 120'
  const holder = atEnd(startProgram('/bin/sh', { args: ['-c', script, 'sh', `${dir}/start.lock`] }))
  expect(await holder.line()).toBe('locked')
  expect(await done(procref(dir))).toMatchObject({ restarted: true, server: { epoch: 2 } })
  expect(isAlive(holder.pid)).toBe(true)
  await goesOn(client, before, watchLost(client))
})

describe('procref restart where nothing runs', () => {
  test('a directory that is not there stays so', async () => {
    const dir = serviceDir()
    expect(await done(procref(dir))).toMatchObject({ state: 'stopped', restarted: false, server: null, previous: null })
    expect(existsSync(dir)).toBe(false)
  })

  test('a server that has stopped, by itself or on request, is not started', async () => {
    const dir = serviceDir()
    const client = clientsOf('embedded')(dir)
    const { port } = await connected(client)
    await killed(client)
    await stopped(dir, port)
    expect(await done(procref(dir))).toMatchObject({ state: 'stopped', restarted: false })
    const next = clientsOf('embedded')(dir)
    await connected(next)
    await done(procref(dir, 'stop', '--force'))
    await next.event('lost')
    expect(await done(procref(dir))).toMatchObject({ state: 'stopped', restarted: false })
    expect(stateOf(dir)).toMatchObject({ state: 'stopped', epoch: 2 })
    expect(restartsOf(dir)).toBe(0)
  })
})
