import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import {
  atEnd,
  type Child,
  eventually,
  freeze,
  isAlive,
  shareOf,
  startProgram,
  staysTrue,
  testsInTurn,
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
  nothingIsLeft,
  serviceDir,
  stateOf,
  stopped,
  wroteRow,
} from './service.ts'
import { CLIENT_STEPS, Stops } from './stops.ts'

const connecting = Object.entries(CLIENT_STEPS) as [keyof typeof CLIENT_STEPS, string][]

describe.each(DRIVERS)('a client in each of its steps (%s)', (driver) => {
  const start = clientsOf(driver)
  const testInTurn = testsInTurn(test, driver, DRIVERS)

  describe.each(shareOf(connecting, driver, DRIVERS))('at %s (%s)', (step) => {
    test('stopped (SIGSTOP): others connect and write, and it goes on after SIGCONT', {
      timeout: 240_000,
    }, async () => {
      const dir = serviceDir()
      const stops = new Stops()
      stops.arm(step)
      const client = stops.clientsOf(driver)(dir)
      expect(await stops.reached(step)).toBe(client.pid)
      const other = start(dir)
      // With start.lock held it waits for 10 to 20 s before it launches a guardian all the same.
      await connectedWithin(90_000, other)
      await wroteRow(other)
      client.kill('SIGCONT')
      await connected(client)
      expect(await counted(client)).toBe(1)
      expect(stateOf(dir)).toMatchObject({ state: 'serving', epoch: 1 })
    })

    test('killed: others connect and write, and nothing is left when they have gone', async () => {
      const dir = serviceDir()
      const stops = new Stops()
      stops.arm(step)
      const client = stops.clientsOf(driver)(dir)
      await stops.reached(step)
      const other = start(dir)
      await killed(client)
      const { port } = await connected(other)
      await wroteRow(other)
      await killed(other)
      await stopped(dir, port)
      await nothingIsLeft(dir)
    })
  })

  /*
   * client launches a guardian
   * guardian stands still before its first word; client stands still
   * guardian writes `starting`, says hello, fails, ends
   * client hears hello, and looks
   */
  testInTurn(
    'stopped while the guardian that it launched fails: it is told why, and launches no other one',
    async () => {
      const dir = serviceDir()
      const first = start(dir)
      await connected(first)
      await killed(first)
      await nothingIsLeft(dir)
      const engine = `${dir}/data/engine.json`
      writeFileSync(engine, JSON.stringify({ ...JSON.parse(readFileSync(engine, 'utf8')), version: '99.0.0' }))
      const stops = new Stops()
      stops.arm('alive')
      const client = stops.clientsOf(driver)(dir)
      const pid = await stops.reached('alive')
      await freeze(client.pid)
      process.kill(pid, 'SIGCONT')
      await eventually('it has failed and ended', () => stateOf(dir).state === 'failed' && !isAlive(pid))
      client.kill('SIGCONT')
      await expect(connected(client)).rejects.toThrow(/PROCREF_NEWER_DATA/)
      expect(journalOf(dir).filter(({ event }) => event === 'server-starting')).toHaveLength(2)
    },
  )

  test.each(shareOf(['claimed', 'start-lock'] as const, driver, DRIVERS, 1))(
    'while the directory is deleted (at %s): an error that names what is gone, and what to do',
    async (step) => {
      const dir = serviceDir()
      const stops = new Stops()
      stops.arm(step)
      const client = stops.clientsOf(driver)(dir)
      await stops.reached(step)
      rmSync(dir, { recursive: true })
      client.kill('SIGCONT')
      await expect(connected(client)).rejects.toThrow(
        new RegExp(`${dir}.*was deleted while it was used.*PROCREF_NOT_FOUND`, 's'),
      )
      await nothingIsLeft(dir)
    },
  )

  testInTurn('stopped with a slot claimed: its server stays, however long the linger has been over', async () => {
    const dir = serviceDir()
    const stops = new Stops()
    stops.arm('claimed')
    const client = stops.clientsOf(driver)(dir)
    await stops.reached('claimed')
    const other = start(dir, { lingerMs: 0 })
    const { serverPid, port } = await connected(other)
    await killed(other)
    // It looks twice a second, and nothing tells that it has.
    await staysTrue(2_000, () => expect(isAlive(serverPid)).toBe(true))
    expect(stateOf(dir)).toMatchObject({ state: 'serving', epoch: 1 })
    client.kill('SIGCONT')
    expect(await connected(client)).toMatchObject({ epoch: 1, serverPid, port })
  })

  testInTurn(
    'stopped with a lease: others connect, its server is replaced under it, and it goes on after SIGCONT',
    async () => {
      const dir = serviceDir()
      const client = start(dir)
      const { guardianPid, port } = await connected(client)
      await wroteRow(client)
      await freeze(client.pid)
      const other = start(dir)
      await connected(other)
      process.kill(guardianPid, 'SIGKILL')
      expect(await other.event('reconnected')).toMatchObject({ epoch: 2, port })
      await wroteRow(other)
      client.kill('SIGCONT')
      await client.event('reconnected')
      expect(await counted(client)).toBe(2)
    },
  )

  test.each(shareOf(['closing', 'closed'] as const, driver, DRIVERS))(
    'stopped while its lease ends (%s): nobody else waits for it',
    async (step) => {
      const dir = serviceDir()
      const stops = new Stops()
      const client = stops.clientsOf(driver)(dir)
      const { port } = await connected(client)
      stops.arm(step)
      client.send('close')
      await stops.reached(step)
      const other = start(dir)
      await connected(other)
      await killed(other)
      client.kill('SIGCONT')
      await client.event('closed')
      await stopped(dir, port)
    },
  )
})

/** What a prober that is stopped between its shared lock and its close leaves behind: a shared lock on the file. */
async function stoppedProber(path: string): Promise<Child> {
  const program = ['sh', '-c', 'echo has it; read never']
  const prober = atEnd(startProgram('flock', { args: ['--no-fork', '--shared', '--nonblock', path, ...program] }))
  await prober.line()
  await freeze(prober.pid)
  return prober
}

describe.each(DRIVERS)('a prober that is stopped between its lock and its close (%s)', (driver) => {
  const start = clientsOf(driver)
  const testInTurn = testsInTurn(test, driver, DRIVERS)

  testInTurn('on the alive lock: the next guardian makes its own, and clients are back', async () => {
    const dir = serviceDir()
    const client = start(dir)
    const { guardianPid, port } = await connected(client)
    const { nonce } = stateOf(dir)
    // The lock is held, so it gets its shared one only once the guardian is dead; the file is then still there.
    await freeze(client.pid)
    process.kill(guardianPid, 'SIGKILL')
    await eventually('the guardian is dead', () => !isAlive(guardianPid))
    await stoppedProber(`${dir}/alive-${nonce}.lock`)
    process.kill(client.pid, 'SIGCONT')
    expect(await client.event('reconnected')).toMatchObject({ epoch: 2, port })
  })

  testInTurn('on the only free slot: it is reported as probed, never as in use', async () => {
    const dir = serviceDir()
    const first = start(dir, { slots: 2 })
    const { slot, slotPath } = await connected(first)
    const free = slotPath.replace(/slot_\d+/, `slot_0${1 - slot}`)
    const prober = await stoppedProber(free)
    await expect(connected(start(dir))).rejects.toThrow(/PROCREF_SLOT_PROBED/)
    await killed(prober)
    await connected(start(dir))
  })

  testInTurn('on slots of a service that all clients have left: its server stops all the same', async () => {
    const dir = serviceDir()
    const client = start(dir)
    const { port, slotPath } = await connected(client)
    await killed(client)
    await stoppedProber(slotPath)
    await stopped(dir, port)
  })
})
