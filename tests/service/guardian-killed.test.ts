import { eventually, servantsOf, whoListensOn } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import {
  clientsOf,
  connected,
  counted,
  DRIVERS,
  killed,
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

  describe('while it starts the server', () => {
    test.each(starting)('at %s (%s), without clients: nothing is left', async (step) => {
      const dir = serviceDir()
      const stops = new Stops()
      stops.arm(step)
      const client = stops.clientsOf(driver)(dir)
      const pid = await stops.reached(step)
      await killed(client)
      process.kill(pid, 'SIGKILL')
      await nothingIsLeft(dir)
    })

    test.each(starting)('at %s (%s), with clients: they get one server', async (step) => {
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

    test.each(starting)('at %s (%s) after a crash: the clients are back, with every row', async (step) => {
      const dir = serviceDir()
      const stops = new Stops()
      const client = stops.clientsOf(driver)(dir)
      const { guardianPid, serverPid } = await connected(client)
      await wroteRow(client)
      stops.arm(step)
      for (const pid of new Set([guardianPid, serverPid])) process.kill(pid, 'SIGKILL')
      process.kill(await stops.reached(step), 'SIGKILL')
      await client.event('reconnected')
      expect(await counted(client)).toBe(1)
    })
  })

  describe('while it stops the server', () => {
    test.each(stopping)('at %s (%s), without clients: nothing is left', async (step) => {
      const dir = serviceDir()
      const { pid, port } = await stoppedAt(driver, dir, step)
      process.kill(pid, 'SIGKILL')
      await nothingIsLeft(dir, port)
      const next = start(dir)
      expect(await connected(next)).toMatchObject({ epoch: 2, port })
      expect(await counted(next)).toBe(1)
    })

    test.each(stopping)('at %s (%s), with a client that has just come: it gets the next server', async (step) => {
      const dir = serviceDir()
      const { pid, port } = await stoppedAt(driver, dir, step)
      const next = start(dir)
      await next.event('progress')
      process.kill(pid, 'SIGKILL')
      expect(await connected(next)).toMatchObject({ epoch: 2, port })
      expect(await counted(next)).toBe(1)
    })
  })

  test('while it lingers, without clients: nothing is left', async () => {
    const dir = serviceDir()
    const client = start(dir, { lingerMs: 100_000 })
    const { guardianPid, port } = await connected(client)
    await killed(client)
    process.kill(guardianPid, 'SIGKILL')
    await nothingIsLeft(dir, port)
    expect(stateOf(dir).state).toBe('serving')
  })

  test('while it lingers, as a client comes: the client gets the next server', async () => {
    const dir = serviceDir()
    const client = start(dir, { lingerMs: 100_000 })
    const { guardianPid, port } = await connected(client)
    await wroteRow(client)
    await killed(client)
    const next = start(dir)
    await next.event('progress')
    process.kill(guardianPid, 'SIGKILL')
    await connected(next)
    expect(await eventually('it reaches a server', async () => (await counted(next)) === 1)).toBe(true)
    expect(stateOf(dir)).toMatchObject({ state: 'serving', epoch: 2 })
    expect(whoListensOn(port)).toHaveLength(1)
  })
})
