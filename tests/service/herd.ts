import {
  type Child,
  eventually,
  freeze,
  HANGS_MS,
  isAlive,
  openFiles,
  processState,
  seededRandom,
  servantsOf,
} from '@procref/testing'
import { expect } from 'vitest'
import { ServantWatch } from './servant-watch.ts'
import {
  type Connected,
  clientsOf,
  connected,
  connectedWithin,
  type Driver,
  journalOf,
  killed,
  nothingIsLeft,
  type StartClient,
  serverStarts,
  serviceDir,
  stopped,
} from './service.ts'

/** What a herd came to. */
export interface HerdRound {
  readonly size: number
  /** How many of them were connected. */
  readonly connected: number
  /** Of those that were not, what they said: the first line of it. */
  readonly failures: readonly string[]
  /** Different ones, as the clients that were connected tell it. */
  readonly guardians: number
  readonly servers: number
  readonly slots: number
  readonly epochs: readonly number[]
  /** As the journal has them, and as the process table had them at any time. */
  readonly serverStarts: number
  readonly serversSeen: number
  readonly guardiansLaunched: number
  /** Seconds, from the first launch to the first client that was connected and to the last, and from the kill of all to when nothing was left. */
  readonly firstS: number
  readonly connectedS: number
  readonly goneS: number
}

/**
 * How long a herd may take until all of it is connected. A program that loads the SDK and signs in takes some 0.4 s of a processor, its server's share
 * with it; the last one is there when all are, and where others work as well each takes several times that: so the limit grows with the herd.
 */
export function herdLimitMs(size: number): number {
  return HANGS_MS + size * 3_000
}

/** `size` processes call connect() at the same moment on a cold directory, and are all killed at once; nothing is left. */
export async function herdRound(
  start: StartClient,
  size: number,
  options: Readonly<Record<string, unknown>> = {},
): Promise<HerdRound> {
  const dir = serviceDir()
  const limitMs = herdLimitMs(size)
  using watch = new ServantWatch(dir)
  const began = performance.now()
  let firstS = Number.NaN
  const clients = Array.from({ length: size }, () => start(dir, { timeoutMs: limitMs, ...options }))
  const outcomes = await Promise.allSettled(
    clients.map(async (client) => {
      const is = await connectedWithin(limitMs, client)
      if (Number.isNaN(firstS)) firstS = seconds(began)
      return is
    }),
  )
  const connectedS = seconds(began)
  const all = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [whyFailed(outcome.reason)] : []))
  const ending = performance.now()
  await Promise.all(clients.map(killed))
  if (all[0] !== undefined) await stopped(dir, all[0].port)
  await nothingIsLeft(dir)
  const different = (of: (client: Connected) => number): number => new Set(all.map(of)).size
  return {
    size,
    connected: all.length,
    failures,
    guardians: different((client) => client.guardianPid),
    servers: different((client) => client.serverPid),
    slots: different((client) => client.slot),
    epochs: [...new Set(all.map((client) => client.epoch))],
    serverStarts: journalOf(dir).filter(({ event }) => event === 'server-starting').length,
    serversSeen: watch.servers,
    guardiansLaunched: watch.guardians,
    firstS,
    connectedS,
    goneS: seconds(ending),
  }
}

/** All of it was connected, each with a slot of its own, to one server of one guardian, the only server that was ever started. */
export function expectOneServer(round: HerdRound): void {
  expect(round).toMatchObject({
    connected: round.size,
    failures: [],
    guardians: 1,
    servers: 1,
    slots: round.size,
    epochs: [1],
    serverStarts: 1,
    serversSeen: 1,
  })
}

/** A client says in its event `failed` what went wrong; one that was late says nothing. */
function whyFailed(error: unknown): string {
  const text = String(error)
  const { code, message = text } = JSON.parse(/^\{"event":"failed".*\}$/m.exec(text)?.[0] ?? '{}')
  return `${code === undefined ? '' : `${code}: `}${message}`.split('\n', 1)[0] ?? ''
}

/**
 * Eight clients write while random processes (server, guardian, clients) are killed or stopped for a while: every
 * acknowledged row is there, each epoch had one server, whoever is alive is connected at the end, and nothing is left.
 */
export async function stormRound(
  driver: Driver,
  seed: number,
  events: number,
): Promise<{ readonly rows: number; readonly epochs: number }> {
  const dir = serviceDir()
  const start = clientsOf(driver)
  const random = seededRandom(seed)
  const written = new Map<number, Child>()
  const writers: Child[] = []
  const enlist = async (): Promise<void> => {
    const client = start(dir)
    const { port: seen } = await connected(client)
    port = seen
    client.send('write')
    written.set(client.pid, client)
    writers.push(client)
  }
  let port = 0
  await Promise.all(Array.from({ length: 8 }, enlist))
  for (let event = 0; event < events; event++) {
    const [kind, act] = [random(), random()]
    if (kind < 0.3) await killed(...(writers.splice(Math.floor(random() * writers.length), 1) as [Child]))
    else if (kind < 0.5) await standStill(writers[Math.floor(random() * writers.length)]?.pid, random() * 1000)
    else {
      const servants = servantsOf(dir).filter(isAlive)
      const victim = servants[Math.floor(random() * servants.length)]
      if (act < 0.6) endIfThere(victim)
      else await standStill(victim, random() * 1000)
    }
    while (writers.length < 8) await enlist()
    await eventually('at most one process has the database open', () => databaseUsers(dir).length <= 1)
  }
  // Whoever lives is connected: its next write is acknowledged.
  const before = new Map(writers.map((client) => [client.pid, acknowledgedBy(client)]))
  await eventually('every client writes again', () =>
    writers.every((client) => acknowledgedBy(client) > (before.get(client.pid) ?? 0)),
  )
  for (const client of writers) client.send('stop')
  await Promise.all(writers.map((client) => client.event('wrote')))
  const rows = await allAcknowledgedRows(writers[0] ?? expect.unreachable(), [...written.values()])
  const epochs = serverStarts(dir)
  await Promise.all(writers.map(killed))
  await stopped(dir, port)
  await nothingIsLeft(dir)
  return { rows, epochs }
}

/** How many rows there are, as `reader` sees it: of each of the writers every acknowledged one, without gaps. */
export async function allAcknowledgedRows(reader: Child, writers: readonly Child[]): Promise<number> {
  const found = await rowsOfWriters(reader)
  for (const writer of writers) {
    const row = found.get(writer.pid)
    expect(row?.c ?? 0, `rows of ${writer.pid}`).toBeGreaterThanOrEqual(acknowledgedBy(writer))
    if (row !== undefined) expect(row.last, `gaps in the rows of ${writer.pid}`).toBe(row.c - 1)
  }
  return [...found.values()].reduce((sum, { c }) => sum + c, 0)
}

/** What there is of the rows of one writer, which are numbered from 0. */
export interface RowsOfWriter {
  readonly p: number
  readonly c: number
  readonly last: number
}

/** By the writers' pids, as `reader` sees them. */
export async function rowsOfWriters(reader: Child): Promise<ReadonlyMap<number, RowsOfWriter>> {
  reader.send('rows')
  const { rows } = await reader.event<{ rows: readonly RowsOfWriter[] }>('rows')
  return new Map(rows.map((row) => [row.p, row]))
}

/** How many rows of a client that writes have been acknowledged. */
export function acknowledgedBy(client: Child): number {
  const last = client.stdout().lastIndexOf('{"event":"acknowledged"')
  if (last === -1) return 0
  const line = client.stdout().slice(last).split('\n', 1)[0] ?? ''
  return line.endsWith('}') ? (JSON.parse(line) as { rows: number }).rows : 0
}

async function standStill(pid: number | undefined, ms: number): Promise<void> {
  const seen = pid === undefined ? undefined : processState(pid)
  if (seen === undefined) return
  try {
    await freeze(seen.pid)
  } catch (error) {
    if (isAlive(seen.pid)) throw error
    return
  }
  await new Promise((resolve) => setTimeout(resolve, ms))
  if (processState(seen.pid)?.startTicks === seen.startTicks) signal(seen.pid, 'SIGCONT')
}

function endIfThere(pid: number | undefined): void {
  if (pid !== undefined) signal(pid, 'SIGKILL')
}

/** False: it has ended meanwhile. */
function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

function databaseUsers(dir: string): readonly number[] {
  return servantsOf(dir).filter((pid) => openFiles(pid).some(({ target }) => target.startsWith(`${dir}/data/db/`)))
}

function seconds(since: number): number {
  return Math.round((performance.now() - since) / 100) / 10
}
