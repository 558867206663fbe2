import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Actor } from '../actor/actor.ts'
import { compile, compilerMissing } from '../compile.ts'
import { fillAllBut, HOLDERS } from '../fill.ts'
import { turnsOfSubjects } from '../over-subjects.ts'
import type { Scenario, ScenarioContext, UsableSubject } from '../scenario.ts'
import { curveOf, medianOf, summarizeTurns } from '../statistics.ts'
import type { PreparedSubject } from '../subject.ts'
import { javascriptActor } from '../subjects/javascript-actor.ts'
import { combined } from '../turn-by-turn.ts'
import { withActors } from '../with-actors.ts'

const SIZES = { guard: [10_000], quick: [10_000], full: [1_000, 10_000, 100_000] }
const FREE_SHARE = 0.01
const TURNS = { guard: 1, quick: 2, full: 3 }
/** In each turn; the first ones are not counted. */
const FIRSTS = { hinted: 200, files: 20, unmeasured: 20 }
/** Claims one after the other, and so often: half of what is free in the smallest pool. */
const SEARCHES = { claims: 5, rounds: 200, unmeasured: 1_000 }
/** Of each run of the program in C: fewer where it has to try half of all slots. */
const SCANS = { onePerCent: 500, last: 50 }
const run = promisify(execFile)

/** How the project's files of byte locks are laid out: see docs/slot-directory.md. */
const SLOTS_A_FILE = 128

const HINTED = 'ofd-range'
const FILES = 'native'

/** Like with like: both have all files open already. */
export const AGAINST_C = 'a pool that is open, against one after the other in C'
export const LAST_AGAINST_C = 'its last free slot, against one after the other in C'
const FIRST_AGAINST_C = 'the first claim of a new pool, against one after the other in C'
const FIRST_AGAINST_FILES = 'the first claim of a new pool, against slot files'

interface Sizes {
  readonly [size: number]: number
}

/** In nanoseconds, the median of one turn. */
interface Found {
  readonly hinted: Sizes
  readonly hintedFirst: Sizes
  readonly scannedInC: Sizes
  /** The only free slot. */
  readonly last: Sizes
  readonly lastInC: Sizes
  readonly scannedFiles: Sizes
}

export const nearFull: Scenario = {
  name: 'near-full',
  title: 'A free slot in a pool that is 99 % full',
  scale: 'quick',
  needsLinux: true,
  async measure(context) {
    const files = context.subjects.find(({ subject }) => subject.name === FILES)
    const missing = await compilerMissing()
    const measured = await turnsOfSubjects(context, {
      turns: TURNS[context.scale],
      leaveOut: ({ subject }) => {
        if (subject.name !== HINTED) return 'it is about the map of hints of ofdRange()'
        return missing === undefined ? undefined : `${missing.reason}: ${missing.remedy}`
      },
      measure: (usable, turn) => search(context, usable, files, turn),
    })
    return {
      name: nearFull.name,
      title: nearFull.title,
      question: 'How many times as long does it take to find a free slot by trying one after the other?',
      method:
        `${HOLDERS} processes hold 99 % of the slots, scattered. What a claim takes of ofdRange(), which has a map of hints, is compared ` +
        `with a program in C that has all files of the same pool open and tries one slot after the other from a random one on: of a pool that is open as well (${SEARCHES.claims} claims one after ` +
        'the other, each for another slot, and then the only slot that is free), and the first one of a new pool, which has to open them. The latter also with the ' +
        `first claim of native(), which tries slot files (it has ${files?.subject.maxSlots ?? 'none'} at most). Ratios of medians, turn by turn, ${TURNS[context.scale]} turns. ` +
        'Tries in C find a slot after a hundred on average where one in a hundred is free, and after half of all where only one is: more than what those cost cannot be saved.',
      unit: 'ratio',
      better: 'higher',
      axis: { title: 'slots of the pool', scale: 'log' },
      ...combined(measured, (turns) => [
        ratios(AGAINST_C, turns, { over: ({ scannedInC }) => scannedInC, under: ({ hinted }) => hinted }),
        ratios(LAST_AGAINST_C, turns, { over: ({ lastInC }) => lastInC, under: ({ last }) => last }),
        ratios(FIRST_AGAINST_C, turns, {
          over: ({ scannedInC }) => scannedInC,
          under: ({ hintedFirst }) => hintedFirst,
        }),
        ...(files === undefined
          ? []
          : [
              ratios(FIRST_AGAINST_FILES, turns, {
                over: ({ scannedFiles }) => scannedFiles,
                under: ({ hintedFirst }) => hintedFirst,
              }),
            ]),
      ]),
    }
  },
}

async function search(
  context: ScenarioContext,
  hinted: UsableSubject,
  files: UsableSubject | undefined,
  turn: number,
): Promise<Found> {
  const scanner = await compile('ofd', context.home)
  const found = { hinted: {}, hintedFirst: {}, scannedInC: {}, last: {}, lastInC: {}, scannedFiles: {} } as {
    readonly [key in keyof Found]: { [size: number]: number }
  }
  for (const size of SIZES[context.scale]) {
    const dir = join(context.home, `${HINTED}-${turn}-${size}`)
    const scanned = async (times: number): Promise<number> =>
      Number((await run(scanner, ['scan', dir, size, SLOTS_A_FILE, times].map(String))).stdout)
    await inFullPool(hinted.prepared, dir, size, async ([holder]) => {
      found.hinted[size] = await searchOf(hinted.prepared, dir, size, SEARCHES.claims)
      found.hintedFirst[size] = await firstClaim(javascriptActor('ofd-range-calls'), dir, size, FIRSTS.hinted)
      found.scannedInC[size] = await scanned(SCANS.onePerCent)
      await holder?.ask('fill', freeOf(size) - 1)
      found.last[size] = await searchOf(hinted.prepared, dir, size, 1)
      found.lastInC[size] = await scanned(SCANS.last)
    })
    if (files !== undefined && size <= files.subject.maxSlots) {
      const filesDir = join(context.home, `${FILES}-${turn}-${size}`)
      await inFullPool(files.prepared, filesDir, size, async () => {
        found.scannedFiles[size] = await firstClaim(files.prepared, filesDir, size, FIRSTS.files)
      })
    }
  }
  return found
}

async function inFullPool(
  prepared: PreparedSubject,
  dir: string,
  slots: number,
  act: (holders: readonly Actor[]) => Promise<void>,
): Promise<void> {
  await withActors({ prepared, dir, slots }, async ({ start }) => {
    const holders = await start(HOLDERS)
    await fillAllBut(freeOf(slots), slots, holders)
    await act(holders)
  })
}

function freeOf(slots: number): number {
  return Math.round(slots * FREE_SHARE)
}

/** Its median, in nanoseconds. */
async function firstClaim(prepared: PreparedSubject, dir: string, slots: number, times: number): Promise<number> {
  return await withActors({ prepared, dir, slots }, async ({ startOne }) => {
    const actor = await startOne()
    await actor.ask('first', FIRSTS.unmeasured)
    return medianOf((await actor.ask('first', times)).ns)
  })
}

/** The median of claims one after the other, in nanoseconds. */
async function searchOf(prepared: PreparedSubject, dir: string, slots: number, claims: number): Promise<number> {
  return await withActors({ prepared, dir, slots }, async ({ startOne }) => {
    const actor = await startOne()
    const ns: number[] = []
    for (let round = -SEARCHES.unmeasured; round < SEARCHES.rounds; round++) {
      const found = await actor.ask('search', claims)
      if (round >= 0) ns.push(...found.ns)
    }
    return medianOf(ns)
  })
}

interface Compared {
  readonly over: (found: Found) => Sizes
  readonly under: (found: Found) => Sizes
}

function ratios(variant: string, turns: readonly Found[], { over, under }: Compared) {
  const sizes = Object.keys(over(turns[0] as Found)).map(Number)
  const points = sizes.map((size) =>
    summarizeTurns(
      turns.map((turn) => [(over(turn)[size] ?? Number.NaN) / (under(turn)[size] ?? Number.NaN)]),
      size,
    ),
  )
  return { variant, ...curveOf(points) }
}
