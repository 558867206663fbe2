import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import {
  eventually,
  freeze,
  freshDir,
  isAlive,
  lockUsers,
  processState,
  servantsOf,
  startChild,
  testsInTurn,
  whoListensOn,
} from '@procref/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { essentials } from './essentials.ts'
import {
  clientsOf,
  connected,
  counted,
  DRIVERS,
  journalOf,
  killed,
  killTogether,
  serviceDir,
  startStranger,
  stateOf,
  stopped,
  wroteRow,
} from './service.ts'

describe.each(DRIVERS)('one SurrealDB, many processes (%s)', (driver) => {
  const startClient = clientsOf(driver)
  const testInTurn = testsInTurn(test, driver, DRIVERS)
  /** Where the server is a process of its own: the engine inside a stopped guardian is stopped as well. */
  const testOfChild = test.runIf(driver === 'binary')

  essentials(startClient)

  testInTurn('a client that closes its lease does not wait for the server, which stops after the linger', async () => {
    const dir = serviceDir()
    const client = startClient(dir)
    const { port } = await connected(client)
    client.send('close')
    await client.event('closed')
    await stopped(dir, port)
  })

  testInTurn('guardian and server killed together without clients leave nothing behind', async () => {
    const dir = serviceDir()
    const client = startClient(dir, { lingerMs: 60_000 })
    const { guardianPid, serverPid } = await connected(client)
    await killed(client)
    killTogether(guardianPid, serverPid)
    await eventually('both are dead', () => !isAlive(guardianPid) && !isAlive(serverPid))
    expect(lockUsers(dir)).toEqual([])
  })

  testInTurn(
    'TERM to the guardian stops the server in order and clients without a wish to leave bring it back',
    async () => {
      const dir = serviceDir()
      const client = startClient(dir)
      const { guardianPid } = await connected(client)
      process.kill(guardianPid, 'SIGTERM')
      expect(await client.event('reconnected')).toMatchObject({ epoch: 2 })
      expect(journalOf(dir).map((e) => `${e.event} ${e.reason}`)).toContain('server-stopping signal')
    },
  )

  testOfChild('a stopped guardian blocks no client that is connected, and goes on after SIGCONT', async () => {
    const dir = serviceDir()
    const client = startClient(dir)
    const { guardianPid, port } = await connected(client)
    await freeze(guardianPid)
    const second = startClient(dir)
    await connected(second)
    await killed(second)
    await killed(client)
    process.kill(guardianPid, 'SIGCONT')
    await stopped(dir, port)
  })

  testInTurn('a client that comes while another one leaves never loses its server', async () => {
    const dir = serviceDir()
    for (let round = 0; round < 6; round++) {
      const client = startClient(dir, { lingerMs: 0 })
      await connected(client)
      client.send('count')
      await client.event('counted')
      await killed(client)
    }
  })

  testInTurn('another configuration is refused with each difference, and its slot is free again', async () => {
    const dir = serviceDir()
    const first = startClient(dir, { slots: 2 })
    await connected(first)
    const other = startClient(dir, { storage: 'memory' })
    await expect(connected(other)).rejects.toThrow(/storage.*rocksdb.*memory|storage.*memory.*rocksdb/s)
    await connected(startClient(dir))
  })

  testInTurn('a server.json of a newer procref is refused', async () => {
    const dir = serviceDir()
    const first = startClient(dir)
    const { port } = await connected(first)
    await killed(first)
    await stopped(dir, port)
    const record = { ...stateOf(dir), protocol: 99 }
    writeFileSync(`${dir}/server.json`, JSON.stringify(record))
    await expect(connected(startClient(dir))).rejects.toThrow(/protocol 99/)
  })

  testInTurn('a deleted server.json is written again by its guardian', async () => {
    const dir = serviceDir()
    const client = startClient(dir)
    await connected(client)
    rmSync(`${dir}/server.json`)
    await eventually('it is back', () => readdirSync(dir).includes('server.json'))
    expect(stateOf(dir)).toMatchObject({ state: 'serving', epoch: 1 })
  })

  testInTurn('deleted slots hide no holder: the server stays, and the client claims a fresh slot', async () => {
    const dir = serviceDir()
    const client = startClient(dir)
    const { serverPid } = await connected(client)
    rmSync(`${dir}/slots`, { recursive: true })
    await eventually('a fresh slot is held', () =>
      lockUsers(dir).some((user) => user.locks.some((lock) => /slots\/slot_\d+\.lock$/.test(lock))),
    )
    client.send('slot')
    await client.event('slot')
    expect(isAlive(serverPid)).toBe(true)
    expect(stateOf(dir).epoch).toBe(1)
  })

  testInTurn('when the whole directory is replaced the lease is lost, with a message that names the path', async () => {
    const dir = serviceDir()
    const client = startClient(dir)
    await connected(client)
    renameSync(dir, `${dir}-gone`)
    const lost = await client.event<{ code: string; text: string }>('lost')
    expect(lost.code).toMatch(/^PROCREF_/)
    expect(lost.text).toContain(dir)
    await eventually('the usurped guardian has left', () => servantsOf(`${dir}-gone`).length === 0)
    rmSync(`${dir}-gone`, { recursive: true, force: true })
  })

  testOfChild(
    'a stranger on the port between crash and restart gets no byte, and the service moves to another port',
    async () => {
      const dir = serviceDir()
      const client = startClient(dir)
      const { serverPid, guardianPid, port } = await connected(client)
      await freeze(guardianPid)
      process.kill(serverPid, 'SIGKILL')
      await eventually('its port is free', () => whoListensOn(port).length === 0)
      const stranger = await startStranger(port)
      process.kill(guardianPid, 'SIGCONT')
      const back = await client.event<{ port: number; epoch: number }>('reconnected')
      expect(back.port).not.toBe(port)
      expect(stranger.heard()).toBe('')
    },
  )

  testOfChild(
    'a client that stood still before it dialled, while a stranger took the port and the server moved, sends the stranger not a byte',
    async () => {
      const dir = serviceDir()
      const client = startClient(dir)
      const { serverPid, guardianPid, port } = await connected(client)
      const late = startClient(dir, { standsStill: true })
      await eventually('it stands still', () => processState(late.pid)?.state === 'T')
      await freeze(guardianPid)
      process.kill(serverPid, 'SIGKILL')
      const stranger = await startStranger(port)
      process.kill(guardianPid, 'SIGCONT')
      // Its lease has not looked since, and will do so before the SDK that it loads is there to dial the port it knows.
      const moved = await client.event<{ port: number }>('reconnected')
      process.kill(late.pid, 'SIGCONT')
      expect(await connected(late)).toMatchObject({ port: moved.port })
      expect(moved.port).not.toBe(port)
      expect(stranger.heard()).toBe('')
    },
  )

  testInTurn('two guardians are never elected, even when guardian.lock is deleted', async () => {
    const dir = serviceDir()
    const client = startClient(dir)
    const { guardianPid, serverPid } = await connected(client)
    rmSync(`${dir}/guardian.lock`)
    await eventually(
      'the usurped guardian has left with its server',
      () => !isAlive(guardianPid) && !isAlive(serverPid),
    )
    expect(await client.event('reconnected')).toMatchObject({ epoch: 2 })
  })

  testInTurn(
    'with every lock deleted the next guardian waits for the server that has the data, however long its guardian stands still',
    async () => {
      const dir = serviceDir()
      const client = startClient(dir)
      const { guardianPid, serverPid } = await connected(client)
      await wroteRow(client)
      process.kill(guardianPid, 'SIGSTOP')
      onTestFinished(() => goesOn(guardianPid))
      for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
        if (/^(data\/)?[^/]+\.lock$/.test(name)) rmSync(`${dir}/${name}`)
      }
      const next = startClient(dir, { timeoutMs: 100_000 })
      await eventually('the next guardian is at its start', () => stateOf(dir).state === 'starting')
      const { guardian } = stateOf(dir)
      await eventually('it has the new lock', () =>
        lockUsers(dir).some(
          ({ pid, locks }) => pid === guardian.pid && locks.some((lock) => lock.endsWith('server.lock')),
        ),
      )
      expect(isAlive(serverPid)).toBe(true)
      goesOn(guardianPid)
      await eventually(
        'the usurped guardian has left with its server',
        () => !isAlive(guardianPid) && !isAlive(serverPid),
      )
      await connected(next)
      expect(await counted(next)).toBe(1)
      expect(stateOf(dir).guardian.pid).toBe(guardian.pid)
      expect(await client.event('reconnected')).toMatchObject({ epoch: 2 })
    },
  )

  testInTurn('connect() inside a guardian throws at once', async () => {
    const dir = serviceDir()
    const child = startChild(new URL('./children/client.mjs', import.meta.url), {
      args: [dir, JSON.stringify({ driver })],
      env: { PROCREF_GUARDIAN: '1' },
    })
    await expect(child.event('connected')).rejects.toThrow(/guardian/)
    await child.exited
  })

  testInTurn(
    'the guardian survives the end of the process tree and the poisoned environment of its client',
    async () => {
      const dir = serviceDir()
      // Whatever loads this with the guardian's marker ends at once: inherited, no guardian would ever come up.
      const poison = `${freshDir()}/poison.cjs`
      writeFileSync(poison, "if (process.env.PROCREF_GUARDIAN === '1') process.exit(86)")
      const client: ChildProcess = spawn(
        process.execPath,
        [new URL('./children/client.mjs', import.meta.url).pathname, dir, JSON.stringify({ driver, lingerMs: 500 })],
        {
          detached: true,
          stdio: ['pipe', 'pipe', 'inherit'],
          env: { ...process.env, NODE_OPTIONS: `--require=${poison}` },
        },
      )
      onTestFinished(() => void client.kill('SIGKILL'))
      await new Promise((resolve) => client.stdout?.once('data', resolve))
      const other = startClient(dir)
      const { guardianPid } = await connected(other)
      // The whole group of the client that launched the guardian.
      process.kill(-(client.pid ?? 0), 'SIGKILL')
      other.send('count')
      await other.event('counted')
      expect(isAlive(guardianPid)).toBe(true)
    },
  )
})

/** Does nothing to one that has ended. */
function goesOn(pid: number): void {
  if (isAlive(pid)) process.kill(pid, 'SIGCONT')
}
