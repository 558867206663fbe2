import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { guard } from '../dist/guard/guard.js'
import { guardText } from '../dist/guard/guard-text.js'
import { GUARDED_RATIOS } from '../dist/guard/guarded-ratios.js'
import type { Subject } from '../dist/subject.js'

const ACTOR = fileURLToPath(new URL('../dist/actor/main.js', import.meta.url))
/** What is measured again and again takes its time on a busy machine. */
const HANGS_MS = 600_000

test(
  'a backend that works longer for each claim is caught, after it was measured again',
  async () => {
    const verdicts = await guard({ ratios: guarded('native-to-floor', 'slowed-native'), measurements: 2 })
    expect(verdicts).toMatchObject([{ name: 'native-to-floor', verdict: 'beyond', measurements: 2 }])
    expect(guardText(verdicts)).toMatch(/^TOO SLOW +a claim of native\(\), over the same system calls in C: /)
  },
  HANGS_MS,
)

test(
  'a backend that looks at all slots for each claim is caught',
  async () => {
    const verdicts = await guard({ ratios: guarded('ofd-range-grown-empty', 'scanning-ofd-range'), measurements: 1 })
    expect(verdicts).toMatchObject([{ name: 'ofd-range-grown-empty', verdict: 'beyond' }])
  },
  HANGS_MS,
)

test('what cannot be measured is no success, and is told with the remedy', async () => {
  const unavailable = async () => ({ reason: 'it is not built', remedy: 'build it' })
  const [ratio] = ratiosNamed('native-to-floor')
  if (ratio === undefined) throw new Error('there is no such ratio')
  const subjects = ratio.subjects.map((subject) => ({ ...subject, unavailable }))
  const verdicts = await guard({ ratios: [{ ...ratio, subjects }] })
  expect(verdicts).toMatchObject([{ verdict: 'unmeasured' }])
  expect(guardText(verdicts)).toContain('native: it is not built (build it)')
})

function ratiosNamed(name: string) {
  return GUARDED_RATIOS.filter((ratio) => ratio.name === name)
}

/** The ratio, with another program in place of the subject that it accuses. */
function guarded(name: string, child: string) {
  return ratiosNamed(name).map((ratio) => ({
    ...ratio,
    subjects: ratio.subjects.map((subject) =>
      subject.name === ratio.over.subject ? actedBy(subject, child) : subject,
    ),
  }))
}

function actedBy(subject: Subject, child: string): Subject {
  const module = new URL(`./children/${child}.mjs`, import.meta.url).href
  return {
    ...subject,
    prepare: async () => ({
      command: (dir, slots) => ({ file: process.execPath, args: [ACTOR, module, dir, String(slots)] }),
      async [Symbol.asyncDispose]() {},
    }),
  }
}
