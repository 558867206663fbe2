import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { atEnd, eventually, isRoot, mountTmpfs } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { clientsOf, connected, connectedWithin, counted, DRIVERS, journalOf, serviceDir, wroteRow } from './service.ts'

const MB = 1 << 20

/** Makes files until no more can be made but those that a guardian needs for itself. */
function useUpFiles(disk: string): void {
  mkdirSync(`${disk}/ballast`)
  for (let left = statfsSync(disk).ffree - 8; left > 0; left--) writeFileSync(`${disk}/ballast/${left}`, '')
}

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

  test('where no more files can be made a server that is killed comes back once some can, and no lease is lost', {
    timeout: 240_000,
  }, async () => {
    const disk = atEnd(mountTmpfs({ bytes: 512 * MB, files: 400 }))
    const dir = serviceDir(disk.path)
    const client = clientsOf(driver)(dir)
    const { serverPid } = await connectedWithin(90_000, client)
    await wroteRow(client)
    process.kill(serverPid, 'SIGKILL')
    useUpFiles(disk.path)
    await eventually('it is said', () =>
      journalOf(dir).some(({ event, reason }) => `${event} ${reason}` === 'probe-failed disk-full'),
    )
    rmSync(`${disk.path}/ballast`, { recursive: true })
    await client.event('reconnected', 90_000)
    expect(await counted(client)).toBe(1)
    expect(client.stdout()).not.toContain('"lost"')
  })
})
