import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Store } from '@procref/example-gsc'
import { atEnd, endDirectory, eventually, freshDir } from '@procref/testing'
import { onTestFinished } from 'vitest'
import { type Program, type ServerName, startServer } from './program.ts'

/** A fresh directory for the shared database; whatever serves it is ended with the test. */
export function freshGsc(): string {
  const dir = join(freshDir(), 'gsc')
  onTestFinished(() => endDirectory(dir))
  return dir
}

/** A server that ends with the test. */
export async function start(name: ServerName, dir: string, ...args: readonly string[]): Promise<Program> {
  return atEnd(await startServer(name, dir, args))
}

export interface ServerRecord {
  readonly state: string
  readonly epoch: number
  readonly server: { readonly pid: number }
  readonly guardian: { readonly pid: number }
}

export function serverRecord(dir: string): ServerRecord {
  return JSON.parse(readFileSync(join(dir, 'server.json'), 'utf8'))
}

/** Nobody uses the database any more, and its server has been stopped for that reason. */
export async function stopsByItself(dir: string): Promise<void> {
  await eventually(`the server of ${dir} stops by itself`, () => serverRecord(dir).state === 'stopped')
}

/** Every row that gcode wrote of a folder, without times and without the folder's own path, in the order of keys. */
export async function indexedRows(dir: string, root: string): Promise<unknown> {
  await using store = new Store({ dir, lingerMs: 500 }, 'test')
  const answers = await store.query<[unknown[], unknown[], unknown[]]>(
    `SELECT * OMIT id, root, readAt FROM file:[$root, NONE]..[$root, ..];
    SELECT * OMIT id, root FROM symbol:[$root, NONE]..[$root, ..];
    SELECT * OMIT id, root FROM mention:[$root, NONE]..[$root, ..]`,
    { root },
  )
  return JSON.parse(JSON.stringify(answers))
}
