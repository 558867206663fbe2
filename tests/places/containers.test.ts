import { rmSync } from 'node:fs'
import { freeze, isAlive, isRoot, lockUsers, processState, servantsOf, staysTrue } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import {
  clientsOf,
  connected,
  connectedWithin,
  counted,
  DRIVERS,
  killed,
  nothingIsLeft,
  serviceDir,
  stateOf,
  stopped,
  wroteRow,
} from '../service/service.ts'
import { canContain, type Namespace, startContained } from './container.ts'

const possible = isRoot() && canContain()
if (!possible) console.warn('NOT RUN without root, unshare(1) and ip(8): containers that share a directory')

describe.runIf(possible).each(DRIVERS)('containers that share a directory (%s)', (driver) => {
  const start = clientsOf(driver)

  test('a client with process numbers of its own shares the server, and is found by the guardian when it alone is left', async () => {
    const dir = serviceDir()
    const host = start(dir)
    const { guardianPid, port } = await connected(host)
    const contained = startContained(['pids'], dir, { driver })
    expect(await connected(contained)).toMatchObject({ epoch: 1, port })
    await wroteRow(contained)
    await killed(host)
    await wroteRow(contained)
    // Longer than the server stays for nobody.
    await staysTrue(2_000, () => expect(isAlive(guardianPid)).toBe(true))
    expect(await counted(contained)).toBe(2)
    await killed(contained)
    await stopped(dir, port)
    await nothingIsLeft(dir)
  })

  test('a guardian in another pid namespace serves clients outside; when its container is ended they start the next one', async () => {
    const dir = serviceDir()
    const contained = startContained(['pids'], dir, { driver })
    const { port } = await connected(contained)
    const host = start(dir)
    expect(await connected(host)).toMatchObject({ epoch: 1, port })
    await wroteRow(host)
    await killed(contained)
    expect(await host.event('reconnected')).toMatchObject({ epoch: 2 })
    expect(await counted(host)).toBe(1)
    await killed(host)
    await nothingIsLeft(dir)
  })

  test.each<[string, readonly Namespace[]]>([
    ['a network', ['network']],
    ['a network and process numbers', ['network', 'pids']],
  ])(
    'a client with %s of its own is refused, its slot is free again, and the server it cannot reach is left alone',
    async (_what, namespaces) => {
      const dir = serviceDir()
      const host = start(dir)
      const { guardianPid, serverPid } = await connected(host)
      const users = lockUsers(dir).length
      await expect(connected(startContained(namespaces, dir, { driver }))).rejects.toThrow(
        /runs in another container.*give each container its own directory.*PROCREF_FOREIGN_NAMESPACE/s,
      )
      expect(lockUsers(dir)).toHaveLength(users)
      expect([guardianPid, serverPid].map(isAlive)).toEqual([true, true])
      await wroteRow(host)
      expect(stateOf(dir)).toMatchObject({ state: 'serving', epoch: 1 })
    },
  )

  test('a lease whose next server is in another network is lost with the reason', async () => {
    const dir = serviceDir()
    const host = start(dir)
    const { guardianPid } = await connected(host)
    await freeze(host.pid)
    process.kill(guardianPid, 'SIGKILL')
    const contained = startContained(['network', 'pids'], dir, { driver })
    expect(await connected(contained)).toMatchObject({ epoch: 2 })
    host.kill('SIGCONT')
    expect(await host.event('lost')).toMatchObject({ code: 'PROCREF_FOREIGN_NAMESPACE' })
    await wroteRow(contained)
  })

  test('a client with a network of its own and a directory of its own works', async () => {
    const dir = serviceDir()
    const contained = startContained(['network', 'pids'], dir, { driver })
    await connected(contained)
    await wroteRow(contained)
    await killed(contained)
    // What ran in the container has ended with it; the next one, elsewhere, goes on with the data.
    const host = start(dir)
    expect(await connected(host)).toMatchObject({ epoch: 2 })
    expect(await counted(host)).toBe(1)
  })

  test('a guardian never signals what it finds in another container: it gives up with the reason, however long that stands still', {
    timeout: 240_000,
  }, async () => {
    const dir = serviceDir()
    const host = start(dir)
    const { guardianPid, serverPid } = await connected(host)
    const theirs = [...new Set([guardianPid, serverPid])]
    await freeze(host.pid)
    for (const pid of theirs) await freeze(pid)
    // Nothing tells the other container that there is a guardian, but server.lock is held.
    rmSync(`${dir}/guardian.lock`)
    rmSync(`${dir}/alive-${stateOf(dir).nonce}.lock`)
    const contained = startContained(['pids'], dir, { driver })
    // It waits for what stands still before it gives up, and that after a start in a container.
    await expect(connectedWithin(90_000, contained)).rejects.toThrow(
      new RegExp(`process ${guardianPid} there\\) runs in another container.*PROCREF_FOREIGN_NAMESPACE`, 's'),
    )
    expect(theirs.map((pid) => processState(pid)?.state)).toEqual(theirs.map(() => 'T'))
  })

  test('where /proc shows other process numbers than its own a client is refused, and starts nothing', async () => {
    const dir = serviceDir()
    const contained = startContained(['pids, without a /proc of them'], dir, { driver })
    await expect(connected(contained)).rejects.toThrow(
      /another pid namespace.*mount \/proc for this pid namespace.*PROCREF_IDENTITY_UNAVAILABLE/s,
    )
    expect(servantsOf(dir)).toEqual([])
    expect(lockUsers(dir)).toEqual([])
  })
})
