import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { KeptServer, onFreePort } from '../keeper/kept-server.ts'
import type { PreparedSubject, Subject, Unavailable } from '../subject.ts'
import { findProgram } from './find-program.ts'
import { libraryMissing, versionOf } from './installed.ts'
import { javascriptActor } from './javascript-actor.ts'

const run = promisify(execFile)

export const redisSubject: Subject = {
  name: 'redis',
  title: 'Redis',
  summary: 'redis-semaphore over TCP: an entry in a sorted set, renewed by its holder, that expires after 10 s',
  kind: 'service',
  maxSlots: 10_000,
  betweenProcesses: true,
  waits: 'by a timer of 10 ms, each time a request to the server (the default of the library)',
  freedByTimeout: true,
  declares: async () => ({ platforms: ['linux', 'darwin'], where: 'the documentation of the Redis server' }),
  async unavailable() {
    if (findProgram('redis-server') === undefined) {
      return { reason: 'there is no program redis-server', remedy: 'apt install redis-server' } satisfies Unavailable
    }
    return await libraryMissing(['redis-semaphore', 'ioredis'])
  },
  prepare: async (home) => await onFreePort((port) => start(home, port)),
}

async function start(home: string, port: number): Promise<PreparedSubject> {
  const file = findProgram('redis-server')
  if (file === undefined) throw new Error('redis-server is gone')
  const folder = join(home, 'redis')
  const password = randomBytes(24).toString('hex')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const config = join(folder, 'redis.conf')
  await writeFile(config, configuration(port, password), { mode: 0o600 })
  const kept = { file, args: [config], env: {}, folder, stopWith: 'SIGTERM' } as const
  const server = await KeptServer.start(kept, /Ready to accept connections/)
  const env = { PROCREF_BENCH_REDIS_PORT: String(port), PROCREF_BENCH_REDIS_PASSWORD: password }
  const version = `redis-semaphore ${versionOf('redis-semaphore')}, redis-server ${await versionOfServer(file)}`
  return {
    ...javascriptActor('redis', { env, version }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** Nothing is written to disk: a permit outlives neither its holder nor the server. */
function configuration(port: number, password: string): string {
  return ['bind 127.0.0.1', `port ${port}`, `requirepass ${password}`, 'save ""', 'appendonly no', ''].join('\n')
}

/** "Redis server v=7.0.15 sha=…" */
async function versionOfServer(file: string): Promise<string> {
  const { stdout } = await run(file, ['--version'])
  return /v=(\S+)/.exec(stdout)?.[1] ?? 'of unknown version'
}
