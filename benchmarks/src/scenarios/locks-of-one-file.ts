import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { compile, compilerMissing } from '../compile.ts'
import { overSubjects } from '../over-subjects.ts'
import type { Scenario } from '../scenario.ts'
import { summarizeTurns } from '../statistics.ts'

const BESIDE = [1, 32, 64, 128, 256, 512, 1_024]
const ROUNDS = 20_000
const TURNS = 5
const run = promisify(execFile)

/** Why ofdRange() has many files, and 128 slots in each: the kernel goes through all locks of a file at each call. */
export const locksOfOneFile: Scenario = {
  name: 'locks-of-one-file',
  title: 'One byte lock more in a file that has many',
  scale: 'full',
  needsLinux: true,
  async measure(context) {
    const missing = await compilerMissing()
    const gathered = await overSubjects(context, {
      turns: TURNS,
      leaveOut: ({ subject }) => {
        if (subject.name !== 'ofd-range') return 'it is about the files of ofdRange()'
        return missing === undefined ? undefined : `${missing.reason}: ${missing.remedy}`
      },
      async measure(_, turn) {
        const program = await compile('ofd', context.home)
        const nanoseconds: number[] = []
        for (const locks of BESIDE) {
          const file = join(context.home, `beside-${turn}-${locks}`)
          const { stdout } = await run(program, ['beside', file, locks, ROUNDS].map(String))
          nanoseconds.push(Number(stdout))
        }
        return nanoseconds
      },
      combine: (turns) => [
        {
          variant: 'F_OFD_SETLK in C',
          points: BESIDE.map((locks, n) =>
            summarizeTurns(
              turns.map((turn) => [turn[n] ?? Number.NaN]),
              locks,
            ),
          ),
        },
      ],
    })
    return {
      name: locksOfOneFile.name,
      title: locksOfOneFile.title,
      question: 'How many slots should share a file?',
      method: `A program in C locks and unlocks one byte ${ROUNDS} times, beside so many other bytes that other descriptions have locked, ${TURNS} times.`,
      unit: 'ns',
      better: 'lower',
      axis: { title: 'other locks of the file', scale: 'log' },
      ...gathered,
    }
  },
}
