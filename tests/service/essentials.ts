import { readdirSync } from 'node:fs'
import { eventually, isAlive, lockUsers, servantsOf } from '@procref/testing'
import { expect, test } from 'vitest'
import { connected, journalOf, killed, type StartClient, serviceDir, stopped } from './service.ts'

/** What the lifecycle promises whatever makes the slots and whichever server it is: registers these tests. */
export function essentials(start: StartClient): void {
  test('when all clients are killed at once the server stops by itself and nothing is left', async () => {
    const dir = serviceDir()
    const clients = Array.from({ length: 5 }, () => start(dir))
    const [first] = await Promise.all(clients.map(connected))
    await Promise.all(clients.map(killed))
    await stopped(dir, first?.port ?? 0)
    // One that is dying has no environment to be known by, and its locks for a moment longer.
    await eventually('guardian and server are gone', () => servantsOf(dir).length === 0 && lockUsers(dir).length === 0)
    expect(journalOf(dir).map((e) => `${e.event} ${e.reason}`)).toContain('server-stopping slots-empty')
    expect(readdirSync(dir).filter((name) => /tmp|spare|taken/.test(name))).toEqual([])
  })

  test('a server that is killed while 8 processes write comes back on its port with every acknowledged row', async () => {
    const dir = serviceDir()
    const clients = Array.from({ length: 8 }, () => start(dir))
    const [first] = await Promise.all(clients.map(connected))
    if (first === undefined) throw new Error('no client')
    for (const client of clients) client.send('write')
    await Promise.all(clients.map((client) => client.event('writing')))
    process.kill(first.serverPid, 'SIGKILL')
    const back = await Promise.all(
      clients.map((client) => client.event<{ epoch: number; port: number }>('reconnected')),
    )
    expect(back.map(({ epoch, port }) => ({ epoch, port }))).toEqual(back.map(() => ({ epoch: 2, port: first.port })))
    for (const client of clients) client.send('stop')
    const wrote = await Promise.all(clients.map((client) => client.event<{ acknowledged: number }>('wrote')))
    clients[0]?.send('count')
    const { rows } = (await clients[0]?.event<{ rows: number }>('counted')) ?? { rows: -1 }
    const acknowledged = wrote.reduce((sum, { acknowledged }) => sum + acknowledged, 0)
    // A write in flight at the kill may be there without having been acknowledged: at most one a client.
    expect(rows).toBeGreaterThanOrEqual(acknowledged)
    expect(rows).toBeLessThanOrEqual(acknowledged + clients.length)
  })

  test('a server dies with its guardian, and the clients launch the next one', async () => {
    const dir = serviceDir()
    const client = start(dir)
    const { guardianPid, serverPid, port } = await connected(client)
    process.kill(guardianPid, 'SIGKILL')
    await eventually('the server is dead', () => !isAlive(serverPid))
    const back = await client.event<{ epoch: number; port: number }>('reconnected')
    expect(back).toMatchObject({ epoch: 2, port })
  })

  test('a full pool is an error that names the holders, and the slot is not taken', async () => {
    const dir = serviceDir()
    const holder = start(dir, { slots: 1, label: 'the only one' })
    await connected(holder)
    const second = start(dir)
    await expect(connected(second)).rejects.toThrow(/All 1 slots are in use.*the only one/s)
  })
}
