import { eventually, servantsOf, shareOf, startChild } from '@procref/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { clientsOf, connectedWithin, DRIVERS, killed, nothingIsLeft, serviceDir } from './service.ts'

/** A client needs about ten for the first start: each number from none to enough, one after the other, meets another step without one. */
const SPARE = Array.from({ length: 16 }, (_, spare) => spare)
/** Node needs some twenty, and many more for the moment in which it loads modules. */
const GUARDIANS = [18, 22, 30, 50, 60, 65, 70, 75, 80, 90, 100, 150, 250]
const ANSWER_MS = 60_000
const TIME_LIMIT_MS = 600_000

interface Answer {
  readonly code: unknown
  readonly text: string
  readonly serverPid?: number
  readonly guardianPid?: number
}

describe.runIf(process.platform === 'linux').each(DRIVERS)('with few descriptors left (%s)', (driver) => {
  const start = clientsOf(driver)

  /** Whether a client has a lease, or with which error it was refused. */
  async function answered(dir: string, options: Readonly<Record<string, unknown>>): Promise<Answer> {
    const client = start(dir, { timeoutMs: ANSWER_MS, ...options })
    onTestFinished(() => killed(client))
    try {
      const { serverPid, guardianPid } = await connectedWithin(2 * ANSWER_MS, client)
      return { code: 'lease', text: '', serverPid, guardianPid }
    } catch {
      const failed = /^\{"event":"failed".*$/m.exec(client.stdout())?.[0]
      if (failed === undefined) return { code: undefined, text: client.stdout() + client.stderr() }
      const { code, stack } = JSON.parse(failed) as { code?: string; stack: string }
      await client.exited
      return { code, text: stack }
    }
  }

  /** In turn; the first and the last, of which the outcome is certain, with each. */
  const withEnds = (all: readonly number[]) =>
    all.filter((most) => [all[0], all.at(-1), ...shareOf(all, driver, DRIVERS)].includes(most))

  test('a client has a lease or is told that too many files are open, whichever step needed one more', {
    timeout: TIME_LIMIT_MS,
  }, async () => {
    const answers: Answer[] = []
    for (const spareDescriptors of withEnds(SPARE)) {
      const dir = serviceDir()
      const answer = await answered(dir, { spareDescriptors })
      answers.push(answer)
      if (answer.code !== 'lease') await nothingIsLeft(dir)
    }
    for (const { code, text } of answers) expect(['lease', 'PROCREF_TOO_MANY_OPEN_FILES'], text).toContain(code)
    expect(answers[0]?.code).toBe('PROCREF_TOO_MANY_OPEN_FILES')
    expect(answers.at(-1)?.code).toBe('lease')
  })

  test('a guardian serves, or says what it lacks; its server never outlives it', {
    timeout: TIME_LIMIT_MS,
  }, async () => {
    const codes: unknown[] = []
    for (const most of withEnds(GUARDIANS)) {
      const dir = serviceDir()
      const guardianCommand = ['prlimit', `--nofile=${most}:${most}`, process.execPath]
      const { code, text, guardianPid, serverPid } = await answered(dir, { guardianCommand })
      expect(code, text).toMatch(/^(lease|PROCREF_.*)$/)
      codes.push(code)
      if (guardianPid !== undefined && serverPid !== undefined) {
        process.kill(guardianPid, 'SIGKILL')
        await eventually('its server has ended with it', () => !servantsOf(dir).includes(serverPid))
      }
    }
    expect(codes[0]).not.toBe('lease')
    expect(codes.at(-1)).toBe('lease')
  })
})

// Node keeps an import that failed, and a package.json that it could not open: the time-out would be waited for with the same failure all along.
describe.runIf(process.platform === 'linux')('a program that once could not load the SDK', () => {
  test.each([
    ['our part', 'EMFILE', 'PROCREF_TOO_MANY_OPEN_FILES', /engine\.js \(EMFILE\).*start this program anew/],
    ['the package', 'ERR_MODULE_NOT_FOUND', 'PROCREF_SDK_UNAVAILABLE', /surrealdb.*ulimit -n.*start this program anew/],
  ])('(%s, %s) is told so at once', async (what, first, code, told) => {
    const dir = serviceDir()
    const client = startChild(new URL('./children/without-sdk.mjs', import.meta.url), {
      args: [dir, String(TIME_LIMIT_MS), what],
    })
    onTestFinished(() => killed(client))
    expect(await client.event('refused')).toMatchObject({ code: first })
    expect(await client.event('failed')).toMatchObject({ code, stack: expect.stringMatching(told) })
    await nothingIsLeft(dir)
  })
})
