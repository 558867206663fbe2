import { type Child, eventually } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { acknowledgedBy, allAcknowledgedRows, rowsOfWriters } from './herd.ts'
import { clientsOf, connected, DRIVERS, type Driver, killed, serviceDir, stopped } from './service.ts'

const ROWS = 50
/** With this time nothing is synced before the server is killed. */
const LONG = '1m'

/** A writer whose server was killed after some rows, and which has found the next one. */
async function writerOfKilled(driver: Driver, options: Readonly<Record<string, unknown>>): Promise<Child> {
  const writer = clientsOf(driver)(serviceDir(), options)
  const { serverPid } = await connected(writer)
  writer.send('write')
  await eventually('it writes', () => acknowledgedBy(writer) >= ROWS)
  process.kill(serverPid, 'SIGKILL')
  await writer.event('reconnected')
  writer.send('stop')
  await writer.event('wrote')
  return writer
}

// What a power cut loses is another matter: power-cut.test.ts.
describe.each(DRIVERS)('what is not synced (%s)', (driver) => {
  const kept: [string, string][] = [
    ['rocksdb', 'never'],
    ['surrealkv', 'never'],
    ['surrealkv', LONG],
  ]
  if (driver === 'embedded') kept.push(['rocksdb', LONG])

  test.each(kept)('%s, sync %s: the end of the server (SIGKILL) loses no acknowledged row', async (storage, sync) => {
    const writer = await writerOfKilled(driver, { storage, sync })
    expect(await allAcknowledgedRows(writer, [writer])).toBeGreaterThanOrEqual(ROWS)
  })

  test.each([
    ['rocksdb', 'never'],
    ['rocksdb', LONG],
    ['surrealkv', LONG],
  ])('%s, sync %s: a server that stops in order loses no acknowledged row', async (storage, sync) => {
    const dir = serviceDir()
    const start = (): Child => clientsOf(driver)(dir, { storage, sync })
    const writer = start()
    const { port } = await connected(writer)
    writer.send('write')
    await eventually('it writes', () => acknowledgedBy(writer) >= ROWS)
    await killed(writer)
    await stopped(dir, port)
    const next = start()
    await connected(next)
    expect(await allAcknowledgedRows(next, [writer])).toBeGreaterThanOrEqual(ROWS)
  })

  // Such a server keeps its log in memory. Should it keep it no more, the pages can promise more.
  test.runIf(driver === 'binary')(
    'rocksdb, sync 1m: the end of the server (SIGKILL) loses rows, as the pages say',
    async () => {
      const writer = await writerOfKilled(driver, { storage: 'rocksdb', sync: LONG })
      const found = await rowsOfWriters(writer)
      expect(found.get(writer.pid)?.c ?? 0).toBeLessThan(acknowledgedBy(writer))
    },
  )
})
