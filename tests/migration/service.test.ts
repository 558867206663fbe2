import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { isNativeCodeHere } from '@procref/native'
import { type Child, eventually, isAlive, servantsOf } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import {
  type Connected,
  clientsOf,
  connected,
  connectedWithin,
  counted,
  DRIVERS,
  killed,
  nothingIsLeft,
  serverStarts,
  serviceDir,
  stopped,
  wroteRow,
} from '../service/service.ts'

const OF_EACH = 10
const driver = DRIVERS.at(-1) ?? 'embedded'
const PROCREF = fileURLToPath(new URL('../../packages/procref/bin/procref.js', import.meta.url))

interface Ways {
  readonly from: string
  readonly to: string
}

const ONE_KIND: Ways = { from: 'flock', to: 'ofd-range' }
/** Their control locks know nothing of each other. */
const TWO_KINDS: Ways = { from: 'lockfile', to: 'native' }

/** A client of one part of the migration: 0 is plain `from`, 4 plain `to`. */
function startPart(dir: string, part: number, { from, to }: Ways = ONE_KIND): Child {
  const backend = part === 0 ? from : part === 4 ? to : `migrating:${part}:${from}:${to}`
  return clientsOf(driver)(dir, { backend, slots: 3 * OF_EACH })
}

function startBoth(dir: string, parts: readonly number[], ways: Ways): readonly Child[] {
  return Array.from({ length: OF_EACH }, () => parts.map((part) => startPart(dir, part, ways))).flat()
}

/** Many programs that load the SDK on two cores need longer than the 30 s of one event. */
const MANY_STARTS_MS = 90_000

async function allConnected(clients: readonly Child[]): Promise<readonly Connected[]> {
  return await Promise.all(
    clients.map(async (client) => {
      await client.event('progress', MANY_STARTS_MS)
      return await connectedWithin(MANY_STARTS_MS, client)
    }),
  )
}

function serversOf(all: readonly Connected[]): readonly string[] {
  return [...new Set(all.map(({ serverPid, guardianPid, epoch }) => `${serverPid} ${guardianPid} ${epoch}`))]
}

describe.runIf(isNativeCodeHere())('one server through a migration', () => {
  test.each([
    [0, 1, ONE_KIND],
    [1, 2, ONE_KIND],
    [2, 3, ONE_KIND],
    [0, 1, TWO_KINDS],
    [1, 2, TWO_KINDS],
    [2, 3, TWO_KINDS],
  ] as const)(
    'ten clients of part %d and ten of part %d, %j: one server, one guardian, no slot twice, also when some are killed',
    async (one, other, ways) => {
      const dir = serviceDir()
      // A directory of the old world, in which the migration has begun.
      const first = startPart(dir, Math.min(one, 2), ways)
      await connected(first)
      const clients = startBoth(dir, [one, other], ways)
      const all = await allConnected(clients)
      expect(serversOf(all)).toHaveLength(1)
      // All of one part have another number each; who holds slots of both pools has the new one's.
      const ofPart = (n: number) => all.filter((_, i) => i % 2 === n).map(({ slot }) => slot)
      for (const slots of [ofPart(0), ofPart(1)]) expect(new Set(slots).size).toBe(slots.length)
      if (one > 0) expect(new Set(all.map(({ slot }) => slot)).size).toBe(all.length)

      const victims = [first, ...clients.filter((_, n) => n % 3 === 0)]
      const left = clients.filter((client) => !victims.includes(client))
      await Promise.all(victims.map(killed))
      const guardian = all[0]?.guardianPid ?? 0
      process.kill(guardian, 'SIGKILL')
      await eventually('the server is dead', () => !isAlive(all[0]?.serverPid ?? 0))
      const back = await Promise.all(
        left.map((client) => client.event<{ epoch: number; port: number }>('reconnected', MANY_STARTS_MS)),
      )
      expect(new Set(back.map(({ epoch }) => epoch))).toEqual(new Set([2]))
      expect(serverStarts(dir)).toBe(2)

      // The last of either part keeps it up; without them it stops by itself.
      const [last = expect.unreachable(), ...others] = left
      await Promise.all(others.map(killed))
      await wroteRow(last)
      expect(servantsOf(dir).length).toBeGreaterThan(0)
      await killed(last)
      await stopped(dir, back[0]?.port ?? 0)
      await nothingIsLeft(dir)
      expect(serverStarts(dir)).toBe(2)
    },
    4 * MANY_STARTS_MS,
  )

  test('from plain flock to plain ofd-range, each part beside the next, with the rows of all', {
    timeout: 4 * MANY_STARTS_MS,
  }, async () => {
    const dir = serviceDir()
    const zero = startPart(dir, 0)
    const { serverPid, guardianPid } = await connected(zero)
    await wroteRow(zero)
    const one = startPart(dir, 1)
    expect((await connected(one)).serverPid).toBe(serverPid)
    await wroteRow(one)

    // The guardian is still one of the old world: it would not see who holds only a new slot.
    const early = startPart(dir, 2)
    await expect(connected(early)).rejects.toThrow(new RegExp(`PROCREF_GUARDIAN_BLIND.*kill ${guardianPid}`, 's'))
    await killed(zero)
    process.kill(guardianPid, 'SIGTERM')
    expect(await one.event('reconnected', MANY_STARTS_MS)).toMatchObject({ epoch: 2 })

    let before = one
    let ofServer: number | undefined
    for (const part of [2, 3]) {
      const next = startPart(dir, part)
      const { serverPid, epoch } = await connected(next)
      expect([epoch, serverPid], `part ${part} has a server of its own`).toEqual([2, ofServer ?? serverPid])
      ofServer = serverPid
      await wroteRow(next)
      await killed(before)
      before = next
    }
    const migrate = () =>
      spawnSync(process.execPath, [PROCREF, 'migrate', '--dir', dir, '--to', ONE_KIND.to], { encoding: 'utf8' })
    const refused = migrate()
    expect(refused.status).toBe(1)
    expect(refused.stderr).toContain(`guardian`)
    await killed(before)
    await nothingIsLeft(dir)
    expect(migrate()).toMatchObject({ status: 0, stderr: '' })
    const three = startPart(dir, 3)
    const four = startPart(dir, 4)
    const [a, b] = [await connected(three), await connected(four)]
    expect(a.serverPid).toBe(b.serverPid)
    expect(a.slot).not.toBe(b.slot)
    expect(await counted(four)).toBe(4)
    const old = startPart(dir, 0)
    await expect(connected(old)).rejects.toThrow('PROCREF_PROTOCOL_MISMATCH')
  })
})
