import { createHash } from 'node:crypto'
import { Client } from 'pg'
import type { OpenPool } from '../../subject.ts'
import { scanningPool, type Unlock } from './scanning-pool.ts'

/** One connection for what is answered at once, and one that waits: while a session waits, it does nothing else. */
export const open: OpenPool = async (dir, slots) => {
  const pool = createHash('sha256').update(dir).digest().readInt32BE(0)
  const connections: Client[] = []
  const connect = async (): Promise<Client> => {
    const client = new Client()
    await client.connect()
    connections.push(client)
    return client
  }
  const unlockOf =
    (client: Client, slot: number): Unlock =>
    async () => {
      await client.query('SELECT pg_advisory_unlock($1, $2)', [pool, slot])
    }
  const main = await connect()
  let waiter: Promise<Client> | undefined
  return scanningPool(
    {
      async tryLock(slot) {
        const { rows } = await main.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS locked', [
          pool,
          slot,
        ])
        return rows[0]?.locked === true ? unlockOf(main, slot) : undefined
      },
      async lock(slot) {
        waiter ??= connect()
        const client = await waiter
        await client.query('SELECT pg_advisory_lock($1, $2)', [pool, slot])
        return unlockOf(client, slot)
      },
      async close() {
        await Promise.all(connections.map((client) => client.end()))
      },
    },
    slots,
  )
}
