import { eventually } from '@procref/testing'
import { Table } from 'surrealdb'
import type { Relay } from '../relay.ts'
import { attempt, type Cases, type Sdk } from '../sdk.ts'

const SOON = { enabled: true, retryDelay: 1, retryDelayMax: 20, retryDelayMultiplier: 1, retryDelayJitter: 0 }

/** The address of the server through a relay. */
const through = ({ url }: Sdk, { port }: Relay): string => url.replace(/:\d+/, `:${port}`)

async function reaches(db: { readonly status: string }, status: string): Promise<void> {
  await eventually(`the driver is ${status}`, async () => db.status === status)
}

/** Over HTTP there is no connection to lose: the calls succeed once the server can be reached again. */
export const RECONNECT: Cases = {
  'reconnect: session, variables, sign-in and live queries are there again': async (sdk) => {
    const { driver, namespace, database, root, protocol } = sdk
    const relay = await sdk.relay()
    const db = driver()
    const events: string[] = []
    await db.connect(through(sdk, relay), {
      namespace,
      database,
      authentication: root,
      reconnect: { ...SOON, attempts: -1 },
    })
    await db.set('kept', 7)
    await db.query('DEFINE TABLE t')
    const seen: string[] = []
    const live = protocol === 'ws' ? await db.live(new Table('t')) : undefined
    live?.subscribe(({ action, recordId }) => seen.push(`${action} ${recordId}`))
    for (const event of ['reconnecting', 'connected', 'disconnected'] as const)
      db.subscribe(event, () => events.push(event))
    relay.cut()
    if (protocol === 'ws') await eventually('it has reconnected', async () => events.includes('connected'))
    // A connection that was kept for the next request is gone.
    if (protocol === 'http') await attempt(() => db.query('RETURN 1'))
    const answer = await db.query('RETURN [$kept, $session.db = $name]', { name: database })
    if (live !== undefined) {
      await eventually('the live query is there again', async () => {
        await sdk.db.query('UPSERT t:1 SET n += 1')
        return seen.length > 0
      })
    }
    return [answer, [...new Set(seen)].length > 0 || live === undefined, events, live?.isAlive]
  },
  'reconnect: calls wait for it': async (sdk) => {
    if (sdk.protocol === 'http') return 'no connection'
    const relay = await sdk.relay()
    const db = sdk.driver()
    await db.connect(through(sdk, relay), { authentication: sdk.root, reconnect: { ...SOON, attempts: -1 } })
    relay.block()
    await reaches(db, 'reconnecting')
    const waiting = db.query('RETURN 1')
    relay.open()
    return await waiting
  },
  'reconnect: attempts are counted, errors can be caught': async (sdk) => {
    if (sdk.protocol === 'http') return 'no connection'
    const relay = await sdk.relay()
    const db = sdk.driver()
    let caught = 0
    const errors: string[] = []
    db.subscribe('error', (error) => errors.push(error.name))
    await db.connect(through(sdk, relay), {
      authentication: sdk.root,
      reconnect: {
        ...SOON,
        attempts: 3,
        catch: () => {
          caught++
          return false
        },
      },
    })
    relay.block()
    await reaches(db, 'disconnected')
    return [caught > 0, errors.at(-1), await attempt(() => db.query('RETURN 1'))]
  },
  'reconnect: not wanted': async (sdk) => {
    if (sdk.protocol === 'http') return 'no connection'
    const relay = await sdk.relay()
    const db = sdk.driver()
    await db.connect(through(sdk, relay), { authentication: sdk.root, reconnect: false })
    relay.cut()
    await reaches(db, 'disconnected')
    return await attempt(() => db.query('RETURN 1'))
  },
}
