import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startEmbedded, startReal, type TestServer } from '../../packages/embedded/test/server.ts'
import { type Answers, answersOf, planned } from './answers.ts'
import { compare, type Difference, reasonOf, unneeded } from './differences.ts'
import { pythonWithSdk } from './environment.ts'

const python = await pythonWithSdk()

/** Two programs with some 2,700 calls each, one after the other, beside other tests. */
const LIMIT_MS = 600_000

describe.runIf(python !== undefined)('the official Python SDK, unmodified', () => {
  let servers: readonly TestServer[] = []
  let ours: Answers
  let real: Answers | undefined
  const differences: Difference[] = []

  beforeAll(async () => {
    const embedded = await startEmbedded()
    servers = [embedded]
    const other = await startReal()
    if (other !== undefined) servers = [embedded, other]
    const answers = await Promise.all(servers.map(({ port }) => answersOf(python as string, port)))
    ;[ours, real] = answers as [Answers, Answers | undefined]
    if (real !== undefined) differences.push(...compare(ours, real))
    report(ours, differences)
  }, LIMIT_MS)

  afterAll(async () => {
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()))
  })

  test.each(python === undefined ? [] : planned(python))(
    '$client: $name: is answered as by the real server',
    ({ client, name }) => {
      const answered = ours.cases.find((each) => each.client === client && each.name === name)
      expect(answered).toBeDefined()
      const here = differences.filter((each) => each.client === client && each.name === name)
      expect(here.filter((each) => reasonOf(each) === undefined)).toEqual([])
    },
  )

  test('every difference that is known is still there', () => {
    expect(real === undefined ? [] : unneeded(differences)).toEqual([])
  })

  test('every public method of its clients is called', () => {
    expect(ours.uncalled).toEqual([])
    expect(ours.methods).toBeGreaterThan(100)
  })

  test('a value of every type it knows is sent', () => {
    expect(ours.unsent).toEqual([])
  })
})

test.runIf(python === undefined)('says why the official Python SDK is not tested', () => {
  expect(python).toBeUndefined()
})

function report({ cases, methods, sdk, python: version }: Answers, found: readonly Difference[]): void {
  const calls = cases.reduce((sum, { answers }) => sum + answers.length, 0)
  const known = found.filter((each) => reasonOf(each) !== undefined).length
  console.log(
    `Python SDK ${sdk} on Python ${version}: ${calls} calls of ${methods} methods in ${cases.length} cases; ` +
      `${found.length} answers differ from the real server's, ${known} of them known`,
  )
}
