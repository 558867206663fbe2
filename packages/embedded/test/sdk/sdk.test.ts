import { freshDir } from '@procref/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PASSWORD, startEmbedded, startReal, type TestServer, USER } from '../server.ts'
import { SDK_CASES } from './cases.ts'
import { MEMBERS } from './members.ts'
import { runCase, type SdkServer } from './run-case.ts'
import { Witness } from './witness.ts'

const witness = new Witness()
let runs = 0
let differences = 0

afterAll(() => {
  console.log(
    `${witness.calls} calls of ${witness.methods} methods of the SDK, in ${runs} runs of ${Object.keys(SDK_CASES).length} cases; ${differences} differences`,
  )
})

const asSdk = ({ port }: TestServer): SdkServer => ({ port, username: USER, password: PASSWORD })

describe.each(['memory', 'rocksdb', 'surrealkv'] as const)('with storage %s', (storage) => {
  let servers: readonly TestServer[] = []
  let addresses: readonly SdkServer[] = []

  beforeAll(async () => {
    const dirs = storage === 'memory' ? [] : [freshDir(), freshDir()]
    const started = await Promise.all([
      startEmbedded({ storage, ...(dirs[0] !== undefined && { databaseDir: dirs[0] }) }),
      startReal({ storage, ...(dirs[1] !== undefined && { databaseDir: dirs[1] }) }),
    ])
    servers = started.filter((server) => server !== undefined)
    addresses = servers.map(asSdk)
  })

  afterAll(async () => {
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()))
  })

  describe.each(['ws', 'http'] as const)('over %s', (protocol) => {
    test.concurrent.each(Object.entries(SDK_CASES))('%s', async (name, run) => {
      const database = `${protocol}_${Object.keys(SDK_CASES).indexOf(name)}`
      const answers = await Promise.all(
        addresses.map((server) => runCase(name, run, { server, protocol, database, witness })),
      )
      runs += answers.length
      const [ours, theirs = ours] = answers
      if (ours !== theirs) differences++
      expect(ours).toBe(theirs)
    })
  })
})

test('every method and option of the SDK is used by a case', () => {
  expect(MEMBERS.filter((member) => !witness.saw(member))).toEqual([])
})
