import { freshDir } from '@procref/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Referee } from '../referee.ts'
import { PASSWORD, startEmbedded, startReal, type TestServer, USER } from '../server.ts'
import { SDK_CASES } from './cases.ts'
import { MEMBERS } from './members.ts'
import { byPlace, PROTOCOLS, STORAGES, type Storage } from './places.ts'
import { runCase, type SdkServer } from './run-case.ts'
import { STAY } from './stay.ts'
import { Witness } from './witness.ts'

const NAMES = Object.keys(SDK_CASES)
const referee = new Referee('sdk', 'The official JavaScript SDK, over ws and http, on every storage', STAY)
const witness = new Witness()
let runs = 0

const servers: TestServer[] = []
const pairs = new Map<Storage, { readonly embedded: SdkServer; readonly real: SdkServer | undefined }>()

async function start(storage: Storage): Promise<void> {
  const at = storage === 'memory' ? [{}, {}] : [{ databaseDir: freshDir() }, { databaseDir: freshDir() }]
  const embedded = await startEmbedded({ storage, ...at[0] })
  servers.push(embedded)
  const real = await startReal({ storage, ...at[1] })
  if (real !== undefined) servers.push(real)
  pairs.set(storage, { embedded: asSdk(embedded), real: real && asSdk(real) })
}

const asSdk = ({ port }: TestServer): SdkServer => ({ port, username: USER, password: PASSWORD })

beforeAll(async () => {
  for (const storage of STORAGES) await start(storage)
})

afterAll(async () => {
  for (const server of servers) await server[Symbol.asyncDispose]()
})

test.concurrent.each(Object.entries(SDK_CASES))('%s', async (name, run) => {
  const places = STORAGES.flatMap((storage) => PROTOCOLS.map((protocol) => ({ storage, protocol })))
  const answers = await Promise.all(
    places.map(async (place) => {
      const { embedded, real } = pairs.get(place.storage) ?? {}
      const at = async (server: SdkServer | undefined): Promise<unknown> => {
        if (server === undefined) return undefined
        runs++
        const database = `case_${NAMES.indexOf(name)}_over_${place.protocol}`
        return await runCase(name, run, { server, protocol: place.protocol, database, witness })
      }
      const [ours, theirs] = await Promise.all([at(embedded), at(real)])
      return { ...place, embedded: ours, real: real === undefined ? ours : theirs }
    }),
  )
  if (servers.length === STORAGES.length) return
  const { embedded, real } = byPlace(answers)
  referee.judge(name, embedded, real)
})

test('what differs is known', async () => {
  if (servers.length > STORAGES.length) await referee.settle(NAMES.length)
})

test('every method and option of the SDK is used by a case', () => {
  console.log(
    `${witness.calls} calls of ${witness.methods} methods of the SDK, in ${runs} runs of ${NAMES.length} cases`,
  )
  expect(MEMBERS.filter((member) => !witness.saw(member))).toEqual([])
})
