import { type Child, eventually, freeze, isAlive, openFiles, processState, servantsOf } from '@procref/testing'
import { expect } from 'vitest'
import {
  clientsOf,
  connected,
  type Driver,
  journalOf,
  killed,
  nothingIsLeft,
  type StartClient,
  serviceDir,
  stopped,
} from './service.ts'

/** How long something took, seconds, for the report of a long run. */
export interface RoundTimes {
  readonly connectedS: number
  readonly goneS: number
}

/**
 * `size` processes call connect() at the same moment on a cold directory, and are all killed at once: one guardian, one
 * server, one slot each, and nothing is left.
 */
export async function herdRound(start: StartClient, size: number): Promise<RoundTimes> {
  const dir = serviceDir()
  const began = performance.now()
  const clients = Array.from({ length: size }, () => start(dir))
  const all = await Promise.all(clients.map(connectedInHerd))
  const connectedS = seconds(began)
  expect(new Set(all.map((c) => c.serverPid)).size).toBe(1)
  expect(new Set(all.map((c) => c.guardianPid)).size).toBe(1)
  expect(new Set(all.map((c) => c.slot)).size).toBe(size)
  expect(new Set(all.map((c) => c.epoch))).toEqual(new Set([1]))
  const ending = performance.now()
  await Promise.all(clients.map(killed))
  await stopped(dir, all[0]?.port ?? 0)
  await nothingIsLeft(dir)
  return { connectedS, goneS: seconds(ending) }
}

/** 50 programs that load the SDK on two cores need longer than the 30 s of one event. */
async function connectedInHerd(client: Child): ReturnType<typeof connected> {
  await client.event('progress')
  return await connected(client)
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
  const starts = journalOf(dir).filter(({ event }) => event === 'server-serving').length
  await Promise.all(writers.map(killed))
  await stopped(dir, port)
  await nothingIsLeft(dir)
  return { rows, epochs: starts }
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

/** A small generator that gives the same numbers for the same seed on every machine (mulberry32). */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
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
