import { eventually } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { acknowledgedBy, allAcknowledgedRows } from './herd.ts'
import { clientsOf, connected, DRIVERS, serviceDir } from './service.ts'

const ROWS = 50
const storages = ['rocksdb', 'surrealkv'] as const
/** Nothing is synced before the server is killed. */
const settings = ['1m', 'never'] as const

// What a power cut loses is another matter: power-cut.test.ts.
describe.each(DRIVERS)('what is not synced (%s)', (driver) => {
  const cases = storages.flatMap((storage) => settings.map((sync) => [storage, sync] as const))

  test.each(cases)('%s, sync %s: the end of the server (SIGKILL) loses no acknowledged row', async (storage, sync) => {
    const writer = clientsOf(driver)(serviceDir(), { storage, sync })
    const { serverPid } = await connected(writer)
    writer.send('write')
    await eventually('it writes', () => acknowledgedBy(writer) >= ROWS)
    process.kill(serverPid, 'SIGKILL')
    await writer.event('reconnected')
    writer.send('stop')
    await writer.event('wrote')
    expect(await allAcknowledgedRows(writer, [writer])).toBeGreaterThanOrEqual(ROWS)
  })
})
