import { createHash } from 'node:crypto'
import { cpSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Child,
  endDirectory,
  eventually,
  freePort,
  freshDir,
  startProgram,
  surrealBinary,
  whoListensOn,
} from '@procref/testing'
import { onTestFinished } from 'vitest'

export const SURREAL: string | undefined = surrealBinary()
export const PASSWORD = "it's a secret"
/** In every database that is made here. */
export const ROWS = 300

export type Durable = 'rocksdb' | 'surrealkv'

/** A server as people start one. */
export interface HandServer extends AsyncDisposable {
  readonly child: Child
  /** The results of the statements, in the database main/main. */
  query(statements: string, login?: Login): Promise<readonly unknown[]>
}

interface Login {
  readonly user: string
  readonly password: string
}

const ROOT: Login = { user: 'root', password: PASSWORD }

export async function startByHand(storage: Durable, folder: string): Promise<HandServer> {
  const { child, url } = await eventually('a server with a port that nobody took meanwhile', () =>
    startAnywhere(storage, folder),
  )
  return {
    child,
    async query(statements, login = ROOT) {
      const answer = await fetch(`${url}/sql`, {
        method: 'POST',
        headers: {
          accept: 'application/json',
          authorization: `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`,
        },
        body: `DEFINE NAMESPACE IF NOT EXISTS main; USE NS main; DEFINE DATABASE IF NOT EXISTS main; USE DB main; ${statements}`,
      })
      const results = (await answer.json()) as readonly { readonly status: string; readonly result: unknown }[]
      const failed = results.find(({ status }) => status !== 'OK')
      if (failed !== undefined) throw new Error(String(failed.result))
      return results.slice(4).map(({ result }) => result)
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await child.exited
      await child[Symbol.asyncDispose]()
    },
  }
}

/** `undefined`: somebody else has the port by now. */
async function startAnywhere(storage: Durable, folder: string): Promise<{ child: Child; url: string } | undefined> {
  const port = await freePort()
  const { user, password } = ROOT
  const child = startProgram(SURREAL ?? '', {
    args: ['start', `${storage}://${folder}`, '--user', user, '--pass', password, '--bind', `127.0.0.1:${port}`],
    env: { SURREAL_ONLINE_VERSION_CHECK: 'false' },
  })
  let isOver = false
  child.exited.then(() => {
    isOver = true
  })
  const url = `http://127.0.0.1:${port}`
  try {
    const how = await eventually('it serves', async () => {
      if (isOver) return 'ended'
      const answer = await fetch(`${url}/health`).catch(() => undefined)
      return answer?.ok === true && whoListensOn(port).includes(child.pid) && 'serves'
    })
    if (how === 'serves') return { child, url }
  } catch (error) {
    await child[Symbol.asyncDispose]()
    throw error
  }
  const printed = `${child.stdout()}${child.stderr()}`
  if (!printed.includes('Address already in use')) throw new Error(`it has ended: ${printed}`)
  return undefined
}

/**
 * A database of a server that was started by hand and has ended, with tables as well as logs: RocksDB makes a table of the log at a later
 * opening, SurrealKV at an end that has time for it.
 */
export async function makeDatabase(storage: Durable, folder: string): Promise<void> {
  for (let life = 0; life === 0 || !namesBelow(folder).some((name) => name.endsWith('.sst')); life++) {
    if (life === 20) throw new Error(`${storage} makes no table`)
    await using server = await startByHand(storage, folder)
    if (life === 0) {
      await server.query(
        `DEFINE INDEX by_n ON row FIELDS n UNIQUE; FOR $i IN 0..${ROWS} { CREATE type::record("row", $i) SET n = $i }; ` +
          "DEFINE USER editor ON ROOT PASSWORD 'may not all' ROLES EDITOR",
      )
    }
  }
}

/** A folder of its own for a test, in which whatever is started is ended with it. */
export interface Place {
  readonly parent: string
  /** Of procref; not made yet. */
  readonly dir: string
  /** The database that was made by hand. */
  readonly folder: string
  readonly passwordFile: string
}

export function makePlace(made: string): Place {
  const parent = join(freshDir(), 'place')
  mkdirSync(parent, { mode: 0o700 })
  onTestFinished(() => endDirectory(parent))
  const folder = join(parent, 'data.db')
  cpSync(made, folder, { recursive: true, preserveTimestamps: true })
  const passwordFile = join(parent, 'password')
  writeFileSync(passwordFile, `${PASSWORD}\n`)
  return { parent, dir: join(parent, 'service'), folder, passwordFile }
}

/** All that can be seen of the files in a folder, but for the lock file, which is empty. */
export function snapshotOf(folder: string): readonly string[] {
  const files = namesBelow(folder).filter((name) => name !== 'LOCK')
  return files.map((name) => {
    const path = join(folder, name)
    const { mode, size, mtimeMs } = lstatSync(path)
    return `${name} ${mode.toString(8)} ${size} ${mtimeMs} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`
  })
}

/** Files, at every depth. */
export function namesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !lstatSync(join(folder, name)).isDirectory())
    .sort()
}
