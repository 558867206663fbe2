import {
  closeSync,
  cpSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import {
  atEnd,
  type Child,
  eventually,
  freePort,
  freshDir,
  makeTempDir,
  startProgram,
  surrealBinary as surrealInTests,
} from '@procref/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { surrealBinary } from '../../dist/drivers/surreal-binary.js'
import { explainFailure } from '../../dist/drivers/surreal-failures.js'
import { type Host, hostOf, startServer } from './driver-suite.ts'
import { putIntoLog } from './rocksdb-log.ts'

const path = surrealInTests()

type Durable = 'rocksdb' | 'surrealkv'

const make = (options: Parameters<typeof surrealBinary>[0]): ReturnType<typeof surrealBinary> =>
  surrealBinary({ path: path ?? '', ...options })

/** What its start is refused with, as a guardian would do it: the data first. */
async function refusalOf(host: Host): Promise<string> {
  const start = host.ask('data').then(() => host.start())
  return await start.then(
    () => expect.unreachable('it started'),
    (error: Error) => error.message,
  )
}

/** A server that somebody else started, once it serves. */
async function strangerOn(storage: Durable, databaseDir: string): Promise<Child> {
  const child = startProgram(path ?? '', {
    args: ['start', `${storage}://${databaseDir}`, '--bind', `127.0.0.1:${await freePort()}`],
    env: { SURREAL_ONLINE_VERSION_CHECK: 'false', SURREAL_LOG: 'info' },
  })
  await eventually('it serves', () => /ready to serve/.test(child.stdout() + child.stderr()))
  return child
}

const namesIn = (dir: string): readonly string[] => readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort()

const inside = (dir: string, pattern: RegExp): string =>
  `${dir}/${namesIn(dir).find((name) => pattern.test(name)) ?? expect.unreachable(`no ${pattern} in ${dir}`)}`

/** Its data, not its end, which says where they are. */
function overwrite(file: string): void {
  const fd = openSync(file, 'r+')
  writeSync(fd, Buffer.alloc(100, 'x'), 0, 100, 20)
  closeSync(fd)
}

describe.runIf(path !== undefined)('a surreal executable that does not come up', () => {
  const written = {} as Record<Durable, string>
  const parent = makeTempDir()
  afterAll(async () => await parent[Symbol.asyncDispose]())

  // Written once; each test spoils a copy. A table is made of the log at a later opening (RocksDB) or at an end that has time for it (SurrealKV).
  beforeAll(async () => {
    for (const storage of ['rocksdb', 'surrealkv'] as const) {
      written[storage] = `${parent.path}/${storage}`
      mkdirSync(written[storage])
      for (let life = 0; !namesIn(written[storage]).some((name) => /\.sst$/.test(name)); life++) {
        if (life === 20) throw new Error(`${storage} makes no table`)
        await using child = await strangerOn(storage, written[storage])
        child.kill('SIGTERM')
        await child.exited
      }
    }
  })

  /** A host over a copy of the data, spoilt by `spoil`. */
  async function hostOver(storage: Durable, spoil: (databaseDir: string) => void): Promise<Host> {
    const dir = freshDir()
    cpSync(written[storage], `${dir}/db`, { recursive: true })
    spoil(`${dir}/db`)
    return await hostOf(make({ storage }), { dir })
  }

  test.each<[Durable, string, (dir: string) => void]>([
    ['rocksdb', 'a CURRENT of other words', (dir) => writeFileSync(`${dir}/CURRENT`, 'garbage')],
    ['rocksdb', 'an empty CURRENT', (dir) => truncateSync(`${dir}/CURRENT`)],
    ['rocksdb', 'a MANIFEST that was cut', (dir) => truncateSync(inside(dir, /^MANIFEST/), 40)],
    ['rocksdb', 'no MANIFEST', (dir) => rmSync(inside(dir, /^MANIFEST/))],
    ['rocksdb', 'no table', (dir) => rmSync(inside(dir, /\.sst$/))],
    ['rocksdb', 'a version that is none', (dir) => putIntoLog(dir, '!v', Buffer.from('three'))],
    ['surrealkv', 'a manifest of other words', (dir) => writeFileSync(inside(dir, /\.manifest$/), 'g'.repeat(500))],
    ['surrealkv', 'a manifest that was cut', (dir) => truncateSync(inside(dir, /\.manifest$/), 20)],
    ['surrealkv', 'no table', (dir) => rmSync(inside(dir, /\.sst$/))],
    ['surrealkv', 'a table that was cut', (dir) => truncateSync(inside(dir, /\.sst$/), 50)],
    ['rocksdb', 'other bytes in a table', (dir) => overwrite(inside(dir, /\.sst$/))],
    ['surrealkv', 'other bytes in a table', (dir) => overwrite(inside(dir, /\.sst$/))],
  ])('%s with %s is damaged: the error names the folder and says what was found', async (storage, _what, spoil) => {
    const host = await hostOver(storage, spoil)
    expect(await refusalOf(host)).toMatch(
      new RegExp(
        `^PROCREF_DATABASE_DAMAGED: The database in ${host.databaseDir} cannot be read: \\w.*restore a backup`,
      ),
    )
  })

  test.each<[Durable, string, (dir: string) => void]>([
    ['rocksdb', 'CURRENT', (dir) => rmSync(`${dir}/CURRENT`)],
    ['surrealkv', 'manifest', (dir) => rmSync(inside(dir, /\.manifest$/))],
    ['surrealkv', 'manifest', (dir) => rmSync(`${dir}/manifest`, { recursive: true })],
  ])('%s without %s is damaged, and no server is let near what is left', async (storage, name, spoil) => {
    const host = await hostOver(storage, spoil)
    const before = namesIn(host.databaseDir)
    expect(await refusalOf(host)).toMatch(
      new RegExp(`^PROCREF_DATABASE_DAMAGED: The database in ${host.databaseDir} .*${name}.* is missing`),
    )
    expect(namesIn(host.databaseDir)).toEqual(before)
  })

  test('a folder in which a first start was killed holds nothing, and is used', async () => {
    const dir = freshDir()
    mkdirSync(`${dir}/db`)
    for (const name of ['LOG', 'LOCK', 'MANIFEST-000001']) writeFileSync(`${dir}/db/${name}`, '')
    const host = await hostOf(make({ storage: 'rocksdb' }), { dir })
    await host.ask('data')
    expect(await host.start()).toMatchObject({ pid: expect.any(Number) })
  })

  const major = (version: number): Buffer => Buffer.of(0, version)
  const migration = Buffer.concat([Buffer.from('/!mg'), Buffer.of(0, 0, 0, 99)])

  test.each<[string, (dir: string) => void]>([
    ['of the next major version', (dir) => putIntoLog(dir, '!v', major(4))],
    ['with a migration of a later version', (dir) => putIntoLog(dir, migration, Buffer.of(1))],
  ])('data %s are those of a newer server', async (_what, spoil) => {
    const host = await hostOver('rocksdb', spoil)
    expect(await refusalOf(host)).toMatch(
      new RegExp(`^PROCREF_NEWER_DATA: .*${host.databaseDir} were last written by surrealdb \\d.*rocksdb.*newer than`),
    )
  })

  test('data of the major version before are those of an older server: the error says how to bring them over', async () => {
    const host = await hostOver('rocksdb', (dir) => putIntoLog(dir, '!v', major(2)))
    expect(await refusalOf(host)).toMatch(
      new RegExp(`^PROCREF_OLDER_DATA: The data of ${host.databaseDir} were written by SurrealDB 2.*surreal export`),
    )
  })

  test.each<[string, Parameters<typeof surrealBinary>[0], RegExp]>([
    ['an option that there is none of', { args: ['--no-such-option'] }, /--no-such-option.*: unexpected argument/],
    ['a value that is none', { args: ['--query-timeout', 'soon'] }, /: invalid value 'soon' for '--query-timeout/],
    ['options that exclude each other', { args: ['--no-defaults', '--default-namespace=x'] }, /cannot be used with/],
  ])('%s is an error that says which', async (_what, options, said) => {
    const host = await hostOf(make({ storage: 'memory', ...options }))
    // Said by an earlier server: it is no reason.
    writeFileSync(host.logFile, 'Address already in use\n')
    const refusal = await refusalOf(host)
    expect(refusal).toMatch(/^PROCREF_SERVER_ARGUMENTS: .*start memory --no-banner/)
    expect(refusal).toMatch(said)
    expect(refusal).not.toContain(host.password)
  })

  test('data that a stranger’s server has open are locked: the error names the folder', async () => {
    const dir = freshDir()
    cpSync(written.rocksdb, `${dir}/db`, { recursive: true })
    atEnd(await strangerOn('rocksdb', `${dir}/db`))
    const host = await hostOf(make({ storage: 'rocksdb' }), { dir })
    expect(await refusalOf(host)).toContain(`PROCREF_DATABASE_LOCKED: The database in ${dir}/db is in use`)
  })

  test('an option that takes a list does not take the database for one more of it', async () => {
    const server = await startServer(make({ storage: 'rocksdb', args: ['--log', 'info', '--deny-funcs', 'http'] }))
    // A thread of its own writes its log: it may be ready before what it said is there.
    await eventually('it has said so', () => readFileSync(server.logFile, 'utf8').includes('Started rocksdb kvs store'))
  })
})

/** Of 3.3.5, with `--log-file-path`. */
const LOG_REFUSED =
  'initializing rolling file appender failed: InitError { context: "failed to create log directory", source: Os { code: 13, ' +
  'kind: PermissionDenied, message: "Permission denied" } }'

describe('what the last words of a server mean', () => {
  const explain = (...lastWords: readonly string[]): Error | undefined =>
    explainFailure({
      context: { host: '127.0.0.1', port: 8000, databaseDir: '/data/db' } as Parameters<
        typeof explainFailure
      >[0]['context'],
      plan: { file: '/opt/surreal', args: ['start'], env: {} },
      storage: 'rocksdb',
      end: { code: 1, signal: null },
      lastWords,
    })

  test.each([
    ['No space left on device', 'PROCREF_DISK_FULL'],
    ['Too many open files (os error 24)', 'PROCREF_TOO_MANY_OPEN_FILES'],
    ['Permission denied', 'PROCREF_PERMISSION_DENIED'],
    ['Cannot allocate memory', 'PROCREF_OUT_OF_MEMORY'],
    ['Read-only file system', 'PROCREF_READ_ONLY'],
  ])('“%s” is the system’s, and no damage of the file that was read', (words, code) => {
    const said = `2026-01-01T00:00:00Z ERROR surrealdb: Corruption: IO error: While open a file: 000009.sst: ${words}`
    expect(explain(said)).toMatchObject({ code, path: '/data/db', cause: { message: said } })
  })

  test.each([
    ['a panic, about a log of its own', "thread 'main' panicked at rolling.rs:156:14:", LOG_REFUSED],
    [
      'a warning, after which it went on',
      '2026-01-01T00:00:00Z  WARN surrealdb: Too many open files',
      'Killed by a panic',
    ],
  ])('what the system refused is not said of the database by %s', (_what, ...lines) => {
    expect(explain(...lines)).toBeUndefined()
  })

  test('words that nobody knows explain nothing', () => {
    expect(explain('2026-01-01T00:00:00Z ERROR surrealdb: something else')).toBeUndefined()
  })
})
