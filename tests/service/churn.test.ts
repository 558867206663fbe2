import { setTimeout as after } from 'node:timers/promises'
import { isNativeCodeHere, native } from '@procref/native'
import { eventually, HANGS_MS, openFiles } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { arrived, leave, makeSlots, newTally, startVisitor, visit } from './churn.ts'
import { footprintOf, sizesOf } from './footprint.ts'
import { insidesOf, OBSERVED_GUARDIAN } from './insides.ts'
import { DRIVERS, type Driver, journalOf, nothingIsLeft, serviceDir, stateOf } from './service.ts'

const AT_ONCE = 3
/** One for each of them and one for the client that stays. */
const SLOTS = AT_ONCE + 1
const WARM_UP = 6
const VISITS = 30
/** So many programs start one after the other, each with the time of one start on a busy machine. */
const VISITS_LIMIT_MS = ((WARM_UP + VISITS) / AT_ONCE) * HANGS_MS
/** What a server may say meanwhile. */
const LOG_BYTES = 4_096
/** The guardian hears of a slot that was freed meanwhile; should it not, it hears of the next one. */
const WAKES_MS = 2
/** Code that V8 compiles meanwhile; a hundred bytes for each change of hands would be more than this. */
const HEAP_BYTES = 192 * 1024

type Counts = Readonly<Record<string, number>>

// A sample of tests/soak/churn.soak.ts, which goes on for hours and looks at memory as well.
describe.each(DRIVERS)('clients that come, write, and leave or are killed (%s)', (driver) => {
  test('leave nothing behind in guardian and server: descriptors, threads, sessions, files and journal are as before', {
    timeout: VISITS_LIMIT_MS,
  }, async () => {
    const dir = serviceDir()
    await makeSlots(dir, SLOTS)
    const options = { slots: SLOTS, guardianProgram: OBSERVED_GUARDIAN }
    const tally = newTally()
    const visits = async (count: number): Promise<void> => {
      for (let done = 0; done < count; done += AT_ONCE) {
        await Promise.all(
          Array.from({ length: AT_ONCE }, async () => {
            await using visitor = startVisitor(dir, driver, options)
            await visit(visitor, tally)
          }),
        )
      }
    }
    await using resident = startVisitor(dir, driver, options)
    const { guardianPid } = await arrived(resident)
    await visits(WARM_UP)
    await eventually('only the one that stays is there', async () => {
      const open = openFiles(guardianPid).map(({ target }) => target)
      const slots = new Set(open.filter((target) => target.startsWith(`${dir}/slots/`)))
      return slots.size <= 1 && (await insidesOf(dir, guardianPid)).sessions <= 1
    })
    const before = await countsOf(dir, driver)
    const { logBytes } = sizesOf(dir)
    await visits(VISITS)
    await noMoreThan(before, () => countsOf(dir, driver))
    expect(sizesOf(dir).logBytes).toBeLessThan(logBytes + LOG_BYTES)
    expect(tally).toMatchObject({ visits: WARM_UP + VISITS, repeated: 0 })
    expect(stateOf(dir)).toMatchObject({ epoch: 1, guardian: { pid: guardianPid } })
    await leave(resident, tally)
    await nothingIsLeft(dir)
  })
})

test.runIf(isNativeCodeHere())(
  'slots that change hands two thousand times leave nothing behind in a guardian',
  async () => {
    const dir = serviceDir()
    await makeSlots(dir, SLOTS)
    const driver = DRIVERS.at(-1) ?? 'embedded'
    const options = { slots: SLOTS, lingerMs: 60_000, guardianProgram: OBSERVED_GUARDIAN }
    await using resident = startVisitor(dir, driver, options)
    const { guardianPid } = await arrived(resident)
    await using pool = await native().open(`${dir}/slots`, { slots: SLOTS })
    let held = await pool.claim()
    await leave(resident, newTally())
    const changeHands = async (times: number): Promise<void> => {
      for (let n = 0; n < times; n++) {
        // There is always one: the guardian waits for one holder, and for the next when that one is gone.
        const next = await pool.claim()
        await held.release()
        held = next
        await after(WAKES_MS)
      }
    }
    await changeHands(200)
    const { heapBytes, resources } = await insidesOf(dir, guardianPid)
    await changeHands(2_000)
    await noMoreThan(resources, async () => (await insidesOf(dir, guardianPid)).resources)
    // What V8 has compiled for them goes after some collections without them, each look being one; what is kept of them does not.
    const isLittle = async (): Promise<boolean> =>
      (await insidesOf(dir, guardianPid)).heapBytes - heapBytes < HEAP_BYTES
    await eventually('nothing is kept of them', isLittle)
  },
)

/** What comes and goes by itself (a beat, a thread that waits for work) may be there at the first look. */
async function noMoreThan(before: Counts, look: () => Promise<Counts>): Promise<void> {
  let more: readonly string[] = []
  await eventually('nothing is there that was not there before', async () => {
    const now = await look()
    more = Object.entries(now).flatMap(([name, count]) =>
      count > (before[name] ?? 0) ? [`${name}: ${before[name] ?? 0} → ${count}`] : [],
    )
    return more.length === 0
  }).finally(() => expect(more).toEqual([]))
}

/** Everything that could be left of a client, counted. */
async function countsOf(dir: string, driver: Driver): Promise<Counts> {
  const { guardian, server } = stateOf(dir)
  const { sessions, objects, resources } = await insidesOf(dir, guardian.pid)
  const { files, temporaryFiles } = sizesOf(dir)
  return {
    ...processCounts('guardian', guardian.pid),
    ...(driver === 'binary' && server !== undefined && processCounts('server', server.pid)),
    sessions,
    ...objects,
    ...resources,
    files,
    temporaryFiles,
    'entries of the journal': journalOf(dir).filter((entry) => !saysHowItAnswers(entry)).length,
  }
}

/** That the server does not answer for a while, and answers again, is the busy machine's doing and no client's. */
function saysHowItAnswers({ event, reason }: ReturnType<typeof journalOf>[number]): boolean {
  return event === 'server-unresponsive' || (event === 'server-serving' && reason === 'answers-again')
}

function processCounts(name: string, pid: number): Counts {
  const { descriptors, threads } = footprintOf(pid)
  return { [`${name}'s descriptors`]: descriptors, [`${name}'s threads`]: threads }
}
