import { join } from 'node:path'
import { createNodeEngines } from '@surrealdb/node'
import { Surreal } from 'surrealdb'
import type { OpenClient } from '../../service-client/open-client.ts'

/** Each process has a database of its own: two of them cannot open one. */
export const open: OpenClient = (dir, { storage }) => ({
  async connect() {
    const db = new Surreal({ engines: createNodeEngines() })
    const url = storage === 'memory' ? 'mem://' : `${storage}://${join(dir, `db-${process.pid}`)}?sync=every`
    await db.connect(url, { namespace: 'main', database: 'main', versionCheck: false })
    return { db, server: process.pid, close: async () => void (await db.close()) }
  },
})
