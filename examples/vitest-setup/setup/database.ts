// What test files import instead of vitest's own `test`: each file has a database of its own, so files can run at the same time.
import { randomUUID } from 'node:crypto'
import { Surreal } from 'surrealdb'
import { test as base, inject } from 'vitest'
import { WebSocket } from 'ws'
import { SCHEMA } from '../src/stock.ts'

// A worker whose vitest was killed would stay for ever in a test that waits.
process.once('disconnect', () => process.exit(1))

// biome-ignore lint/correctness/noEmptyPattern: vitest reads from the pattern which fixtures this one needs.
export const test = base.extend('db', { scope: 'file' }, async ({}, { onCleanup }): Promise<Surreal> => {
  const { url, namespace, username, password } = inject('surreal')
  const database = `file_${randomUUID().replaceAll('-', '')}`
  // Node 20 has no WebSocket of its own.
  const db = new Surreal({ websocketImpl: WebSocket as unknown as typeof globalThis.WebSocket })
  await db.connect(url, { authentication: { namespace, username, password } })
  onCleanup(async () => {
    await db.query(`REMOVE DATABASE IF EXISTS ${database}`)
    await db.close()
  })
  await db.query(`DEFINE DATABASE ${database}`)
  await db.use({ namespace, database })
  await db.query(SCHEMA)
  return db
})
