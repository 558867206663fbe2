import { resolve } from 'node:path'
import { atEnd, type Child, type ControlGroup, canGroup, eventually, isAlive, makeControlGroup } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { clientsOf, connected, counted, DRIVERS, nothingIsLeft, serviceDir, wroteRow } from '../service/service.ts'

if (!canGroup())
  console.warn('NOT RUN without root and cgroup v2 with cgroup.kill: everything of a session killed at once')

const CLIENT = resolve(import.meta.dirname, '../service/children/client.mjs')

function startIn(session: ControlGroup, dir: string, options: Readonly<Record<string, unknown>>): Child {
  return session.start(process.execPath, { args: [CLIENT, dir, JSON.stringify({ lingerMs: 500, ...options })] })
}

/** One of those that were told first may have taken it with it. */
function tellToEnd(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** How many rows the client says that the server has acknowledged. */
function acknowledged(client: Child): number {
  const told = [...client.stdout().matchAll(/"event":"acknowledged","rows":(\d+)/g)].map(([, rows]) => Number(rows))
  return Math.max(0, ...told)
}

describe.runIf(canGroup()).each(DRIVERS)('a session that is ended as a whole (%s)', (driver) => {
  const start = clientsOf(driver)

  test('client, guardian and server killed by one act: the next client starts the next epoch, with every acknowledged write', async () => {
    const dir = serviceDir()
    const session = atEnd(makeControlGroup())
    const client = startIn(session, dir, { driver })
    const { guardianPid, serverPid } = await connected(client)
    expect(session.pids()).toEqual(expect.arrayContaining([client.pid, guardianPid, serverPid]))
    client.send('write')
    await client.event('writing')
    session.kill()
    await client.exited
    await session.empty()
    // An empty group has nobody who runs in it; the last one may be about to give up what it had open.
    await eventually('guardian and server have ended', () => ![guardianPid, serverPid].some(isAlive))

    const next = start(dir)
    expect(await connected(next)).toMatchObject({ epoch: 2 })
    const written = acknowledged(client)
    expect(written).toBeGreaterThanOrEqual(20)
    // The one that was under way may be there as well.
    const found = await counted(next)
    expect([written, written + 1]).toContain(found)
  })

  test('with a client in another session: that one is back with the next epoch, and every row is there', async () => {
    const dir = serviceDir()
    const session = atEnd(makeControlGroup())
    const launcher = startIn(session, dir, { driver })
    await connected(launcher)
    await wroteRow(launcher)
    const other = start(dir)
    await connected(other)
    session.kill()
    expect(await other.event('reconnected')).toMatchObject({ epoch: 2 })
    expect(await counted(other)).toBe(1)
    await wroteRow(other)
  })

  test('everybody told to end (SIGTERM) at the same moment, as at a logout: nobody is brought back, and the next client finds all rows', async () => {
    const dir = serviceDir()
    const session = atEnd(makeControlGroup())
    const client = startIn(session, dir, { driver })
    const { port } = await connected(client)
    await wroteRow(client)
    for (const pid of session.pids()) tellToEnd(pid)
    await client.exited
    await session.empty()
    await nothingIsLeft(dir, port)
    const next = start(dir)
    expect(await connected(next)).toMatchObject({ epoch: 2 })
    expect(await counted(next)).toBe(1)
  })
})
