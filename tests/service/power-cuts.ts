import { type Child, type Drive, endDirectory, eventually, type PowerCut } from '@procref/testing'
import { rowsOfWriters } from './herd.ts'
import { connected, journalOf, killed, type StartClient, serviceDir } from './service.ts'

/** Enough for some minutes of writers; only what they write takes memory. */
export const DRIVE_BYTES: number = 2 ** 30

/** A service's directory on the drive, and what it is on each copy of it. */
export function serviceOn(drive: Drive, name = 'service'): ServiceOnDrive {
  const below = `${drive.path}/${name}`
  return { drive, dir: serviceDir(below), dirOf: (cut) => `${cut.path}/${name}/service` }
}

const ANSWERED = /^\{"event":"(connected|failed)"/m
/** As long as connect() takes at most in these clients, and a bit. */
const ANSWER_MS = 110_000

export interface ServiceOnDrive {
  readonly drive: Drive
  readonly dir: string
  dirOf(cut: PowerCut): string
}

/**
 * Asks a client of a service that is started on what the cut has left, with nothing done by hand; then ends that service. Rejects as `connected()` does when
 * it does not start.
 */
export async function onWhatIsLeft<T>(
  service: ServiceOnDrive,
  cut: PowerCut,
  start: StartClient,
  look: (client: Child) => Promise<T>,
): Promise<T> {
  const dir = service.dirOf(cut)
  const client = start(dir)
  try {
    // Five starts of a server that dies may come before the answer, after the seconds for which it insists on a port that somebody else has.
    await eventually('a client is served, or told why not', () => ANSWERED.test(client.stdout()), ANSWER_MS)
    await connected(client)
    return await look(client)
  } catch (cause) {
    const told = journalOf(dir).map((entry) => JSON.stringify(entry))
    throw new Error(`on what the power cut has left: ${String(cause)}\n${told.join('\n')}`, { cause })
  } finally {
    await killed(client)
    await endDirectory(dir)
  }
}

/** What a power cut took of the rows that had been acknowledged. */
export interface Loss {
  readonly acknowledged: number
  readonly lostRows: number
  /** So long before the cut the oldest of them was acknowledged; 0: none is lost. */
  readonly lostMs: number
  /** Rows that are missing although a later one of the same writer is there. */
  readonly gaps: number
}

/** Compares what the writers had been told when the power went with what `reader` finds. */
export async function lossOf(writers: readonly Child[], reader: Child, cut: PowerCut): Promise<Loss> {
  const found = await rowsOfWriters(reader)
  const each = writers.map((writer) => {
    const told = acknowledgements(writer).filter(({ at }) => at <= cut.at)
    const acknowledged = told.at(-1)?.rows ?? 0
    const there = found.get(writer.pid)
    const rowsThere = there?.c ?? 0
    const firstLost = told.find(({ rows }) => rows > rowsThere)
    return {
      acknowledged,
      lostRows: Math.max(0, acknowledged - rowsThere),
      lostMs: firstLost === undefined ? 0 : cut.at - firstLost.at,
      gaps: there === undefined ? 0 : there.last + 1 - there.c,
    }
  })
  return {
    acknowledged: sum(each.map((one) => one.acknowledged)),
    lostRows: sum(each.map((one) => one.lostRows)),
    lostMs: Math.max(0, ...each.map((one) => one.lostMs)),
    gaps: sum(each.map((one) => one.gaps)),
  }
}

interface Acknowledgement {
  /** So many rows had been acknowledged with this one. */
  readonly rows: number
  readonly at: number
}

function acknowledgements(writer: Child): readonly Acknowledgement[] {
  const told = writer.stdout().matchAll(/^\{"event":"acknowledged","rows":(\d+),"at":(\d+)\}$/gm)
  return [...told].map(([, rows, at]) => ({ rows: Number(rows), at: Number(at) }))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}
