import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { atEnd, eventually, isRoot, mountTmpfs } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { clientsOf, connected, counted, DRIVERS, journalOf, serviceDir, wroteRow } from './service.ts'

const MB = 1 << 20

describe.runIf(isRoot()).each(DRIVERS)('too little room to open the database (%s)', (driver) => {
  test('the journal says that a server which is to come back waits for it, and it comes back', async () => {
    const disk = atEnd(mountTmpfs({ bytes: 512 * MB }))
    const dir = serviceDir(disk.path)
    const client = clientsOf(driver)(dir)
    const { serverPid } = await connected(client)
    await wroteRow(client)
    const { bavail, bsize } = statfsSync(disk.path)
    // Enough for every file of ours.
    writeFileSync(`${disk.path}/ballast`, Buffer.alloc(bavail * bsize - 4 * MB))
    process.kill(serverPid, 'SIGKILL')
    await eventually('it is said', () =>
      journalOf(dir).some(({ event, reason }) => `${event} ${reason}` === 'probe-failed disk-full'),
    )
    rmSync(`${disk.path}/ballast`)
    await client.event('reconnected', 90_000)
    expect(await counted(client)).toBe(1)
  })
})
