import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
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
/** Of each run of the program in C. */
const SCANS = 500
const run = promisify(execFile)

/** How the project's files of byte locks are laid out: see docs/slot-directory.md. */
const SLOTS_A_FILE = 128

const HINTED = 'ofd-range'
const FILES = 'native'

export const AGAINST_C = 'against one after the other in C'

interface Sizes {
  readonly [size: number]: number
}

/** In nanoseconds, the median of one turn. */
interface Found {
  readonly hinted: Sizes
  readonly scannedInC: Sizes
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
        `${HOLDERS} processes hold 99 % of the slots, scattered. What the first claim of a new pool of ofdRange() takes, which has a map of hints, is compared ` +
        'with a program in C that has all files of the same pool open and tries one slot after the other from a random one on, and with the ' +
        `first claim of native(), which tries slot files (it has ${files?.subject.maxSlots ?? 'none'} at most). Ratios of medians, turn by turn, ${TURNS[context.scale]} turns.`,
      unit: 'ratio',
      better: 'higher',
      axis: { title: 'slots of the pool', scale: 'log' },
      ...combined(measured, (turns) => [
        ratios(AGAINST_C, turns, ({ scannedInC }) => scannedInC),
        ...(files === undefined ? [] : [ratios('against slot files', turns, ({ scannedFiles }) => scannedFiles)]),
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
  const found = { hinted: {}, scannedInC: {}, scannedFiles: {} } as {
    readonly [key in keyof Found]: { [size: number]: number }
  }
  for (const size of SIZES[context.scale]) {
    const dir = join(context.home, `${HINTED}-${turn}-${size}`)
    await inFullPool(hinted.prepared, dir, size, async () => {
      found.hinted[size] = await firstClaim(javascriptActor('ofd-range-calls'), dir, size, FIRSTS.hinted)
      const { stdout } = await run(scanner, ['scan', dir, size, SLOTS_A_FILE, SCANS].map(String))
      found.scannedInC[size] = Number(stdout)
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
  act: () => Promise<void>,
): Promise<void> {
  await withActors({ prepared, dir, slots }, async ({ start }) => {
    await fillAllBut(Math.round(slots * FREE_SHARE), slots, await start(HOLDERS))
    await act()
  })
}

/** Its median, in nanoseconds. */
async function firstClaim(prepared: PreparedSubject, dir: string, slots: number, times: number): Promise<number> {
  return await withActors({ prepared, dir, slots }, async ({ startOne }) => {
    const actor = await startOne()
    await actor.ask('first', FIRSTS.unmeasured)
    return medianOf((await actor.ask('first', times)).ns)
  })
}

function ratios(variant: string, turns: readonly Found[], of: (found: Found) => Sizes) {
  const sizes = Object.keys(of(turns[0] as Found)).map(Number)
  const points = sizes.map((size) =>
    summarizeTurns(
      turns.map((turn) => [(of(turn)[size] ?? Number.NaN) / (turn.hinted[size] ?? Number.NaN)]),
      size,
    ),
  )
  return { variant, ...curveOf(points) }
}
