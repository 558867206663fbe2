import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { asOtherUser, commandLine, isRoot, startChild } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { clientsOf, connected, counted, DRIVERS, serviceDir, wroteRow } from '../service/service.ts'

const INTRUDER = new URL('./children/intruder.mjs', import.meta.url)

if (!isRoot()) console.warn('NOT RUN without root: what another user of the machine can do')

interface Tried {
  readonly reached: readonly string[]
  readonly refused: Readonly<Record<string, string>>
}

describe.skipIf(!isRoot()).each(DRIVERS)('another user of the machine (%s)', (driver) => {
  test('reads, locks, signals and asks nothing of a running service', async () => {
    const dir = serviceDir()
    // Up to the directory itself anybody may come.
    chmodSync(dirname(dir), 0o711)
    writeFileSync(`${dir}.public`, 'for all')
    chmodSync(`${dir}.public`, 0o644)
    const client = clientsOf(driver)(dir)
    const { guardianPid, serverPid, port } = await connected(client)
    await wroteRow(client)
    const order = { dir, pids: [guardianPid, serverPid, client.pid], port }
    await using intruder = startChild(INTRUDER, { ...asOtherUser(), args: [JSON.stringify(order)] })
    const { reached, refused } = await intruder.event<Tried>('tried')
    expect(reached).toEqual(['a public file beside it: for all', expect.stringMatching(/^that it is there: 200/)])
    expect(Object.keys(refused).length).toBeGreaterThan(20)
    expect(await counted(client)).toBe(1)
  })

  test('sees no password in the argument list of any process', async () => {
    const dir = serviceDir()
    const { guardianPid, serverPid } = await connected(clientsOf(driver)(dir))
    const { password } = JSON.parse(readFileSync(`${dir}/data/credentials.json`, 'utf8')) as { password: string }
    expect(password.length).toBeGreaterThan(30)
    for (const pid of [guardianPid, serverPid]) {
      expect(commandLine(pid).length).toBeGreaterThan(0)
      expect(commandLine(pid).join(' ')).not.toContain(password)
    }
  })
})
