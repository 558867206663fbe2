import { surrealBinary } from '@procref/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Referee } from '../../packages/embedded/test/referee.ts'
import { startEmbedded, startReal, type TestServer } from '../../packages/embedded/test/server.ts'
import { type Answers, answersOf, namesOfCases, sideBySide } from './answers.ts'
import { PYTHON_DIFFERENCES } from './differences.ts'
import { pythonWithSdk } from './environment.ts'

const python = await pythonWithSdk()
const names = python === undefined ? [] : namesOfCases(python)

/** Two programs with some 2,700 calls each, beside other tests. */
const LIMIT_MS = 600_000

describe.runIf(python !== undefined)('the official Python SDK, unmodified', () => {
  let servers: readonly TestServer[] = []
  let ours: Answers
  let real: Answers | undefined

  beforeAll(async () => {
    servers = [await startEmbedded()]
    const other = await startReal()
    if (other !== undefined) servers = [...servers, other]
    const answers = await Promise.all(servers.map(({ port }) => answersOf(python as string, port)))
    ;[ours, real] = answers as [Answers, Answers | undefined]
    console.log(`Python SDK ${ours.sdk} on Python ${ours.python}: ${calls(ours)} calls of ${ours.methods} methods`)
  }, LIMIT_MS)

  afterAll(async () => {
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()))
  })

  describe.runIf(surrealBinary() !== undefined)('is answered as by the real server', () => {
    const about = 'Calls of the Python SDK, blocking and asynchronous, over ws and http'
    const referee = new Referee('python-sdk', about, PYTHON_DIFFERENCES)

    test.each(names)('%s', (name) => {
      const answers = sideBySide(name, ours, real as Answers)
      referee.judge(name, answers.ours, answers.real)
    })

    test('and what differs is known', () => referee.settle(names.length))
  })

  test('every public method of its clients is called', () => {
    expect(ours.uncalled).toEqual([])
    expect(ours.methods).toBeGreaterThan(100)
  })

  test('a value of every type it knows is sent', () => {
    expect(ours.unsent).toEqual([])
  })

  test('every case is carried out by every client', () => {
    expect(ours.clients).toHaveLength(4)
    expect(ours.cases).toHaveLength(names.length * ours.clients.length)
  })
})

function calls({ cases }: Answers): number {
  return cases.reduce((sum, { answers }) => sum + Object.keys(answers).length, 0)
}
