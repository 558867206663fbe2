import { existsSync } from 'node:fs'
import { embeddedSurreal } from '@procref/embedded'
import { flock } from '@procref/flock'
import { connect, type Lease, requestRestart, surrealBinary } from '@procref/lifecycle'
import { type Child, eventually, servantsOf, shareOf, within } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { EVERY_KIND, FailingCalls, type Failure, failingCallLibrary } from './failing-calls.ts'
import {
  type Connected,
  clientsOf,
  connected,
  connectedWithin,
  counted,
  DRIVERS,
  type Driver,
  killed,
  nothingIsLeft,
  serviceDir,
  startClient,
  stateOf,
  wroteRow,
} from './service.ts'

/** What a disk that fails says to any call. */
const FAILED_DISK: Failure = { errno: 'EIO', kinds: EVERY_KIND }
const ANSWER_MS = 60_000
const TIME_LIMIT_MS = 600_000
/** As many runs at once as a machine with two cores carries. */
const AT_ONCE = 3
const DRIVER = { embedded: embeddedSurreal, binary: surrealBinary }

/** How a program's attempt to be served ended. */
interface Answer {
  readonly code: unknown
  readonly text: string
}

describe.runIf(process.platform === 'linux').each(DRIVERS)('when the k-th call on a file fails (%s)', (driver) => {
  // Its slots are locked by calls of the C library, which native() does not use.
  const options = { backend: 'flock', lingerMs: 0, timeoutMs: ANSWER_MS }
  const start = (dir: string, more: object = {}) => clientsOf(driver)(dir, { ...options, ...more })

  test('of the guardian, from its start to its end: whoever connects is served or told why, nothing is left, and nothing is in the way of the next one', {
    timeout: TIME_LIMIT_MS,
  }, async () => {
    await sweep(driver, async (calls, dir) => {
      let rows = 0
      const answer = await answerOf(async () => {
        await using lease = await share(driver, dir, calls)
        await acknowledgedOrLost(lease)
        rows = 1
      })
      await nothingIsLeft(dir)
      return { answer, rows }
    })
  })

  test('of a client that starts everything: it has a lease or is told why, nothing is left, and nothing is in the way of the next one', {
    timeout: TIME_LIMIT_MS,
  }, async () => {
    await sweep(driver, async (calls, dir) => {
      const client = startClient(dir, { driver, ...options }, calls.env)
      const answer = await answerOf(async () => void (await connectedOrTold(client)))
      await killed(client)
      await nothingIsLeft(dir)
      return { answer, rows: 0 }
    })
  })

  test('of those who have a lease, and for a while each call of their guardian: no lease is lost, no server ended, and a restart that was asked for meanwhile is done', {
    timeout: TIME_LIMIT_MS,
  }, async () => {
    const library = failingCallLibrary()
    const dir = serviceDir()
    const ofGuardian = new FailingCalls(library, dir)
    const first = start(dir, { guardianCommand: ofGuardian.command })
    const { serverPid, guardianPid } = await connected(first)
    await wroteRow(first)
    // A look takes nine of them.
    const others = await Promise.all(
      Array.from({ length: 10 }, async (_, k) => {
        const calls = new FailingCalls(library, dir)
        const client = startClient(dir, { driver, ...options }, calls.env)
        await connected(client)
        calls.arm(k + 1, FAILED_DISK)
        return { client, calls }
      }),
    )
    ofGuardian.arm(1, FAILED_DISK, 'onwards')
    await eventually('each lease has met with its failure', () => others.every(({ calls }) => calls.failed === 1))
    const restarting = requestRestart({ dir, backend: flock(), driver: DRIVER[driver]({ storage: 'rocksdb' }) })
    await eventually('the request is there', () => existsSync(`${dir}/request.json`))
    // It looks at its office before it takes one.
    const refusals = (): number => refusedLooksOf(ofGuardian, 'guardian.lock')
    const before = refusals()
    await eventually('the guardian has tried to take the request', () => refusals() > before)
    const clients = [first, ...others.map(({ client }) => client)]
    for (const client of clients) await wroteRow(client)
    expect(servantsOf(dir)).toEqual(expect.arrayContaining([serverPid, guardianPid]))

    ofGuardian.disarm()
    expect(await within('the restart', restarting, ANSWER_MS)).toMatchObject({ kind: 'restarted' })
    for (const client of clients) await client.event('reconnected')
    for (const client of clients) await wroteRow(client)
    expect(await counted(first)).toBe(2 * clients.length + 1)
    expect(clients.filter(wasLost)).toEqual([])
    for (const client of clients) await killed(client)
    await nothingIsLeft(dir)
  })
})

/**
 * Runs as often as there are different calls, each time on a fresh directory in which another of them fails, once. Of every answer: a lease, or
 * an error of ours that names the place.
 */
async function sweep(
  driver: Driver,
  run: (calls: FailingCalls, dir: string) => Promise<{ readonly answer: Answer; readonly rows: number }>,
): Promise<void> {
  const library = failingCallLibrary()
  const one = async (at: number): Promise<FailingCalls> => {
    const dir = serviceDir()
    const calls = new FailingCalls(library, dir)
    calls.arm(at, FAILED_DISK)
    try {
      const { answer, rows } = await within('all of it', run(calls, dir), 3 * ANSWER_MS)
      calls.disarm()
      expect(answer.code, answer.text).toMatch(/^(a lease|PROCREF_.+)$/)
      if (answer.code !== 'a lease') expect(answer.text).toContain(dir)
      await worksAgain(driver, dir, rows)
      return calls
    } catch (cause) {
      throw new Error(`where the call ${calls.firstFailed()} fails: ${String(cause)}`, { cause })
    }
  }
  const all = (await one(0)).calls().map(described)
  // The first of each kind; of those that are this driver's, CI takes every other one.
  const mine = shareOf(shareOf([...new Set(all)], driver, DRIVERS), 0, [0, 1])
  const failed = new Set<string>()
  const next = mine.values()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const call of next) {
        const first = (await one(all.indexOf(call) + 1)).firstFailed()
        if (first !== undefined) failed.add(described(first))
      }
    }),
  )
  // How often somebody looks while he waits is another number each time, so that it is not always the call that was meant.
  expect(failed.size).toBeGreaterThan(mine.length / 2)
}

/** A share in the service of `dir` for this process, in which nothing fails but in the guardian that is given. */
function share(driver: Driver, dir: string, guardian?: FailingCalls): Promise<Lease> {
  return connect({
    dir,
    backend: flock(),
    driver: DRIVER[driver]({ storage: 'rocksdb' }),
    lingerMs: 0,
    timeoutMs: ANSWER_MS,
    ...(guardian && { guardianCommand: guardian.command }),
  })
}

/** The service works, and has at least as many rows as were acknowledged before; then nothing is left of it. */
async function worksAgain(driver: Driver, dir: string, rows: number): Promise<void> {
  const lease = await share(driver, dir)
  expect(await rowsIn(lease)).toBeGreaterThanOrEqual(rows)
  await lease.close()
  await nothingIsLeft(dir)
  expect(stateOf(dir).state).toBe('stopped')
}

/** The call and its file, without what is another one each time. */
function described(line: string): string {
  const [, call, path = ''] = line.split(' ')
  return `${call} ${path
    .replace(/^.*\/service\/?/, '')
    .replace(/[0-9a-f]{32}|\d+-[0-9a-f]{12}/, 'N')
    .replace(/slot_\d+/, 'slot_N')}`
}

async function answerOf(attempt: () => Promise<void>): Promise<Answer> {
  try {
    await attempt()
    return { code: 'a lease', text: '' }
  } catch (error) {
    return { code: (error as { code?: unknown }).code, text: String((error as Error).stack) }
  }
}

/** Rejects with what the program says of its failure. */
async function connectedOrTold(client: Child): Promise<Connected> {
  try {
    return await connectedWithin(2 * ANSWER_MS, client)
  } catch (error) {
    const failed = /^\{"event":"failed".*$/m.exec(client.stdout())?.[0]
    if (failed === undefined) throw error
    const { code, stack } = JSON.parse(failed) as { code?: string; stack: string }
    throw Object.assign(new Error(stack), { code })
  }
}

async function acknowledgedOrLost(lease: Lease): Promise<void> {
  try {
    await lease.db.query('CREATE row').retry()
  } catch (error) {
    // What ended the lease is the reason, and what the query says of its connection is not.
    throw lease.lost.aborted ? lease.lost.reason : error
  }
}

async function rowsIn(lease: Lease): Promise<number> {
  const [, rows] = await lease.db
    .query<[unknown, unknown[]]>('DEFINE TABLE IF NOT EXISTS row; SELECT VALUE id FROM row')
    .retry()
  return rows.length
}

function wasLost(client: Child): boolean {
  return client.stdout().includes('"event":"lost"')
}

function refusedLooksOf(guardian: FailingCalls, name: string): number {
  return guardian.calls().filter((line) => line.includes(name) && line.includes('FAILED')).length
}
