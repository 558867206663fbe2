import { makeTempDir } from '@procref/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Referee } from '../referee.ts'
import { PASSWORD, startEmbedded, startReal, type TestServer, USER } from '../server.ts'
import { SDK_CASES } from './cases.ts'
import { MEMBERS } from './members.ts'
import { byPlace, PROTOCOLS, STORAGES, type Storage } from './places.ts'
import { makeDatabases, runCase, type SdkServer } from './run-case.ts'
import type { Protocol } from './sdk.ts'
import { STAY } from './stay.ts'
import { Witness } from './witness.ts'

const NAMES = Object.keys(SDK_CASES)
const databaseOf = (name: string, protocol: Protocol): string => `case_${NAMES.indexOf(name)}_over_${protocol}`
const DATABASES = NAMES.flatMap((name) => PROTOCOLS.map((protocol) => databaseOf(name, protocol)))

/** All places of a case: reaching it means "hangs", on a busy machine too. */
const LIMIT_MS = 300_000

const referee = new Referee('sdk', 'The official JavaScript SDK, over ws and http, on every storage', STAY)
const witness = new Witness()
let runs = 0

const used: AsyncDisposable[] = []
const pairs = new Map<Storage, { readonly embedded: SdkServer; readonly real: SdkServer | undefined }>()

async function start(storage: Storage): Promise<void> {
  const database = (): { readonly databaseDir: string } => {
    const dir = makeTempDir()
    used.push(dir)
    return { databaseDir: dir.path }
  }
  const embedded = await startEmbedded({ storage, ...database() })
  used.push(embedded)
  const real = await startReal({ storage, ...database() })
  if (real !== undefined) used.push(real)
  const pair = { embedded: asSdk(embedded), real: real && asSdk(real) }
  for (const server of [pair.embedded, pair.real]) if (server !== undefined) await makeDatabases(server, DATABASES)
  pairs.set(storage, pair)
}

const asSdk = ({ port }: TestServer): SdkServer => ({ port, username: USER, password: PASSWORD })

const hasReferee = (): boolean => [...pairs.values()].every(({ real }) => real !== undefined)

beforeAll(async () => {
  for (const storage of STORAGES) await start(storage)
})

afterAll(async () => {
  for (const thing of used.reverse()) await thing[Symbol.asyncDispose]()
})

test.concurrent.each(Object.entries(SDK_CASES))(
  '%s',
  async (name, run) => {
    const places = STORAGES.flatMap((storage) => PROTOCOLS.map((protocol) => ({ storage, protocol })))
    const answers = await Promise.all(
      places.map(async (place) => {
        const { embedded, real } = pairs.get(place.storage) ?? {}
        const at = async (server: SdkServer | undefined): Promise<unknown> => {
          if (server === undefined) return undefined
          runs++
          const database = databaseOf(name, place.protocol)
          return await runCase(name, run, { server, protocol: place.protocol, database, witness })
        }
        const [ours, theirs] = await Promise.all([at(embedded), at(real)])
        return { ...place, embedded: ours, real: real === undefined ? ours : theirs }
      }),
    )
    if (!hasReferee()) return
    const { embedded, real } = byPlace(answers)
    referee.judge(name, embedded, real)
  },
  LIMIT_MS,
)

test('what differs is known', async () => {
  if (hasReferee()) await referee.settle(NAMES.length)
})

test('every method and option of the SDK is used by a case', () => {
  console.log(
    `${witness.calls} calls of ${witness.methods} methods of the SDK, in ${runs} runs of ${NAMES.length} cases`,
  )
  expect(MEMBERS.filter((member) => !witness.saw(member))).toEqual([])
})
