import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { KeptServer, onFreePort, type SystemUser } from '../keeper/kept-server.ts'
import { CannotPrepareError, type PreparedSubject, type Subject } from '../subject.ts'
import { findProgram } from './find-program.ts'
import { libraryMissing, versionOf } from './installed.ts'
import { javascriptActor } from './javascript-actor.ts'

const run = promisify(execFile)
/** Where Debian keeps the programs of each version, away from `$PATH`. */
const DEBIAN = '/usr/lib/postgresql'
/** The role that owns the cluster. */
const ROLE = 'bench'
/** A herd of 64 and its holder are the most that any scenario starts; its default would be a hundred, some of them kept for administrators. */
const MOST_CLIENTS = 200

export const postgresSubject: Subject = {
  name: 'postgres',
  title: 'PostgreSQL',
  summary: 'advisory locks of a session, one number a slot, over TCP: they end with the connection',
  kind: 'service',
  // max_locks_per_transaction times max_connections, both as they are set by default: 64 x 100.
  maxSlots: 6_400,
  betweenProcesses: true,
  waits: 'in the server, for one slot picked by chance: woken by its release',
  waitsForOne: true,
  declares: async () => ({
    platforms: ['linux', 'darwin', 'win32', 'freebsd', 'openbsd', 'sunos', 'aix'],
    where: 'the documentation of PostgreSQL',
  }),
  async unavailable() {
    if (programs() === undefined) {
      return { reason: 'there are no programs postgres and initdb', remedy: 'apt install postgresql' }
    }
    return (await libraryMissing(['pg'])) ?? (await userMissing())
  },
  prepare: async () => await onFreePort(start),
}

interface Programs {
  readonly postgres: string
  readonly initdb: string
}

function programs(): Programs | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).toSorted((a, b) => Number(b) - Number(a)) : []
  const dirs = versions.map((version) => join(DEBIAN, version, 'bin'))
  const postgres = findProgram('postgres', dirs)
  const initdb = findProgram('initdb', dirs)
  return postgres === undefined || initdb === undefined ? undefined : { postgres, initdb }
}

async function start(port: number): Promise<PreparedSubject> {
  const found = programs()
  if (found === undefined) throw new Error('postgres is gone')
  const user = await otherUser()
  // Not in the folder of the run, which no other user may enter.
  const folder = await mkdtemp(join(tmpdir(), 'procref-bench-postgres-'))
  const password = randomBytes(24).toString('hex')
  const env = { PATH: process.env.PATH ?? '', LC_ALL: 'C' }
  try {
    const passwords = join(folder, 'password')
    await writeFile(passwords, password, { mode: 0o600 })
    if (user !== undefined) await Promise.all([folder, passwords].map((path) => chown(path, user.uid, user.gid)))
    await makeCluster(found.initdb, { cwd: folder, env, ...user }, passwords)
    await rm(passwords)
    const settings = [
      'listen_addresses=127.0.0.1',
      `port=${port}`,
      'unix_socket_directories=',
      `max_connections=${MOST_CLIENTS}`,
    ]
    const args = ['-D', 'cluster', ...settings.flatMap((setting) => ['-c', setting])]
    const kept = { file: found.postgres, args, env, folder, stopWith: 'SIGINT', ...(user && { user }) } as const
    const server = await KeptServer.start(kept, /database system is ready to accept connections/)
    const { stdout } = await run(found.postgres, ['--version'])
    return {
      ...javascriptActor('postgres', {
        version: `pg ${versionOf('pg')}, ${stdout.trim()}`,
        // As libpq names them; pg reads them itself.
        env: { PGHOST: '127.0.0.1', PGPORT: String(port), PGUSER: ROLE, PGPASSWORD: password, PGDATABASE: 'postgres' },
      }),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

async function makeCluster(
  initdb: string,
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly uid?: number; readonly gid?: number },
  passwords: string,
): Promise<void> {
  const locale = ['--no-locale', '--encoding=UTF8']
  const access = [`--username=${ROLE}`, `--pwfile=${passwords}`, '--auth=scram-sha-256']
  try {
    await run(initdb, ['-D', 'cluster', ...locale, ...access, '--no-sync'], options)
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error)
    throw new CannotPrepareError(
      { reason: `initdb could not make a cluster: ${said}`, remedy: 'mend what it complains of' },
      { cause: error },
    )
  }
}

/** PostgreSQL refuses to run as root; undefined for everybody else. */
async function otherUser(): Promise<SystemUser | undefined> {
  if (process.getuid?.() !== 0) return undefined
  for (const name of ['postgres', 'nobody']) {
    const uid = await idOf('-u', name)
    const gid = await idOf('-g', name)
    if (uid !== undefined && gid !== undefined) return { uid, gid }
  }
  throw new CannotPrepareError({
    reason: 'PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody',
    remedy: 'run the benchmark as another user',
  })
}

async function idOf(which: '-u' | '-g', name: string): Promise<number | undefined> {
  try {
    return Number((await run('id', [which, name])).stdout)
  } catch (error) {
    // No such user, or nobody to ask.
    if (error instanceof Error && 'code' in error && (error.code === 1 || error.code === 'ENOENT')) return undefined
    throw error
  }
}

async function userMissing(): Promise<{ readonly reason: string; readonly remedy: string } | undefined> {
  try {
    const user = await otherUser()
    if (user !== undefined) await run('test', ['-x', tmpdir()], { ...user, cwd: '/' })
    return undefined
  } catch (error) {
    if (error instanceof CannotPrepareError) return { reason: error.reason, remedy: error.remedy }
    if (!(error instanceof Error && 'code' in error && error.code === 1)) throw error
    return {
      reason: `PostgreSQL refuses to run as root, and other users may not enter ${tmpdir()}`,
      remedy: `chmod o+x ${tmpdir()}, or run the benchmark as another user`,
    }
  }
}
