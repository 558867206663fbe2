import {
  atEnd,
  eventually,
  isAlive,
  servantsOf,
  shareOf,
  startProgram,
  testsInTurn,
  whoListensOn,
} from '@procref/testing'
import { describe, expect, test } from 'vitest'
import {
  clientsOf,
  connected,
  connectedWithin,
  counted,
  DRIVERS,
  journalOf,
  killed,
  killTogether,
  nothingIsLeft,
  serviceDir,
  stateOf,
  wroteRow,
} from './service.ts'
import { START_STEPS, STOP_STEPS, Stops, stoppedAt } from './stops.ts'

const starting = Object.entries(START_STEPS) as [keyof typeof START_STEPS, string][]
const stopping = Object.entries(STOP_STEPS) as [keyof typeof STOP_STEPS, string][]

describe.each(DRIVERS)('a guardian that is killed in each of its steps (%s)', (driver) => {
  const start = clientsOf(driver)
  const testInTurn = testsInTurn(test, driver, DRIVERS)

  describe('while it starts the server', () => {
    test.each(shareOf(starting, driver, DRIVERS))('at %s (%s), without clients: nothing is left', async (step) => {
      const dir = serviceDir()
      const stops = new Stops()
      stops.arm(step)
      const client = stops.clientsOf(driver)(dir)
      const pid = await stops.reached(step)
      await killed(client)
      process.kill(pid, 'SIGKILL')
      await nothingIsLeft(dir)
    })

    test.each(shareOf(starting, driver, DRIVERS, 1))('at %s (%s), with clients: they get one server', async (step) => {
      const dir = serviceDir()
      const stops = new Stops()
      stops.arm(step)
      const clients = [1, 2].map(() => stops.clientsOf(driver)(dir))
      process.kill(await stops.reached(step), 'SIGKILL')
      const [one, other] = await Promise.all(clients.map(connected))
      expect(one?.serverPid).toBe(other?.serverPid)
      const servants = driver === 'binary' ? 2 : 1
      await eventually('no other guardian and no other server is left', () => servantsOf(dir).length === servants)
    })

    test.each(shareOf(starting, driver, DRIVERS))(
      'at %s (%s) after a crash: the clients are back, with every row',
      async (step) => {
        const dir = serviceDir()
        const stops = new Stops()
        const client = stops.clientsOf(driver)(dir)
        const { guardianPid, serverPid } = await connected(client)
        await wroteRow(client)
        stops.arm(step)
        killTogether(guardianPid, serverPid)
        process.kill(await stops.reached(step), 'SIGKILL')
        await client.event('reconnected')
        expect(await counted(client)).toBe(1)
      },
    )
  })

  describe('while it stops the server', () => {
    test.each(shareOf(stopping, driver, DRIVERS))('at %s (%s), without clients: nothing is left', async (step) => {
      const dir = serviceDir()
      const { pid, port } = await stoppedAt(driver, dir, step)
      process.kill(pid, 'SIGKILL')
      await nothingIsLeft(dir, port)
      const next = start(dir)
      expect(await connected(next)).toMatchObject({ epoch: 2, port })
      expect(await counted(next)).toBe(1)
    })

    test.each(shareOf(stopping, driver, DRIVERS, 1))(
      'at %s (%s), with a client that has just come: it gets the next server',
      async (step) => {
        const dir = serviceDir()
        const { pid, port } = await stoppedAt(driver, dir, step)
        const next = start(dir)
        await next.event('progress')
        process.kill(pid, 'SIGKILL')
        expect(await connected(next)).toMatchObject({ epoch: 2, port })
        expect(await counted(next)).toBe(1)
      },
    )
  })

  /*
   * The server dies with its guardian, but not what made a session of its own and has inherited server.lock; then
   *   guardian 2 writes `starting`, waits for server.lock, is killed
   *   guardian 3 writes `starting`, waits for server.lock, is killed
   *   guardian 4 has to know whose server it waits for
   */
  testInTurn(
    'two more that are killed while they wait for what the first one left: it is proven ours, ended, and clients get a server',
    {
      timeout: 300_000,
    },
    async () => {
      const dir = serviceDir()
      const first = start(dir)
      const { guardianPid } = await connected(first)
      await wroteRow(first)
      const { nonce } = stateOf(dir)
      await killed(first)
      process.kill(guardianPid, 'SIGKILL')
      await nothingIsLeft(dir)
      const left = atEnd(
        startProgram('/bin/sh', {
          args: ['-c', 'exec 9<"$1"; flock -w 30 9 && echo locked; exec sleep 300', 'sh', `${dir}/data/server.lock`],
          env: { PROCREF_INSTANCE: nonce },
        }),
      )
      expect(await left.line()).toBe('locked')
      const stops = new Stops()
      for (const epoch of [2, 3]) {
        stops.arm('before-server-lock')
        const client = stops.clientsOf(driver)(dir)
        const pid = await stops.reached('before-server-lock')
        expect(stateOf(dir)).toMatchObject({ state: 'starting', epoch })
        await killed(client)
        process.kill(pid, 'SIGKILL')
        await eventually('it is dead', () => !isAlive(pid))
      }
      const last = start(dir)
      // It waits 10 s for the lock before it looks whose it is.
      expect(await connectedWithin(90_000, last)).toMatchObject({ epoch: 4 })
      expect(await counted(last)).toBe(1)
      expect(isAlive(left.pid)).toBe(false)
      expect(journalOf(dir)).toContainEqual(expect.objectContaining({ event: 'orphan-ended' }))
    },
  )

  testInTurn('while it lingers, without clients: nothing is left', async () => {
    const dir = serviceDir()
    const client = start(dir, { lingerMs: 100_000 })
    const { guardianPid, port } = await connected(client)
    await killed(client)
    process.kill(guardianPid, 'SIGKILL')
    await nothingIsLeft(dir, port)
    expect(stateOf(dir).state).toBe('serving')
  })

  testInTurn('while it lingers, as a client comes: the client gets the next server', async () => {
    const dir = serviceDir()
    const client = start(dir, { lingerMs: 100_000 })
    const { guardianPid, port } = await connected(client)
    await wroteRow(client)
    await killed(client)
    const next = start(dir)
    await next.event('progress')
    process.kill(guardianPid, 'SIGKILL')
    // A server that is a process of its own may answer for a moment yet.
    await eventually('the next server serves', () => stateOf(dir).epoch === 2 && stateOf(dir).state === 'serving')
    await connected(next)
    expect(await counted(next)).toBe(1)
    expect(stateOf(dir)).toMatchObject({ state: 'serving', epoch: 2 })
    expect(whoListensOn(port)).toHaveLength(1)
  })
})
