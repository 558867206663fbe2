import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  atEnd,
  eventually,
  freeze,
  freshDir,
  isAlive,
  ownMemory,
  startProgram,
  surrealBinary as surrealInTests,
} from '@procref/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { findSurreal, surrealVersion } from '../../dist/drivers/find-surreal.js'
import { surrealBinary } from '../../dist/drivers/surreal-binary.js'
import { driverTests, hostOf, post, startServer } from './driver-suite.ts'

const path = surrealInTests()

const MB = 1 << 20
/** What a sign-in takes for a moment. */
const SIGN_IN_MB = 19

describe.runIf(path !== undefined)('a surreal executable', () => {
  const make = (options: Parameters<typeof surrealBinary>[0] = {}): ReturnType<typeof surrealBinary> =>
    surrealBinary({ path: path ?? '', ...options })

  driverTests('surrealBinary()', { make })

  test('after a refused write its SurrealKV is not asked, and never trusted: it has to be opened anew', async () => {
    const host = await hostOf(make({ storage: 'surrealkv' }))
    await host.start()
    await expect(host.ask('commits')).rejects.toThrow(/must be opened anew/)
  })

  test.each([
    [undefined, /Sync mode: every transaction commit/],
    ['every', /Sync mode: every transaction commit/],
    ['2s', /Sync mode: background syncing on interval/],
    ['never', /Sync mode: never/],
  ] as const)('sync %s is what the server says it does', async (sync, said) => {
    const server = await startServer(make({ ...(sync !== undefined && { sync }), args: ['--log', 'info'] }))
    await server.end()
    expect(readFileSync(server.logFile, 'utf8')).toMatch(said)
  })

  test('guests that are allowed see what the tables permit them, and no more', async () => {
    const server = await startServer(make({ storage: 'memory', capabilities: { guests: true } }))
    await server.sql(
      'USE NS main DB main; DEFINE TABLE open PERMISSIONS FULL; DEFINE TABLE closed; CREATE open:1; CREATE closed:1',
    )
    const { status, body } = await post(server.port, 'USE NS main DB main; SELECT * FROM open; SELECT * FROM closed')
    expect([status, JSON.parse(body).slice(1)]).toMatchObject([200, [{ result: [{ id: 'open:1' }] }, { result: [] }]])
  })

  test('scripting is allowed, or its absence in this build is an error', async () => {
    const host = await hostOf(make({ storage: 'memory', capabilities: { scripting: true } }))
    const started = await host.start().then(
      () => undefined,
      (error: Error) => error.message,
    )
    if (started !== undefined) return expect(started).toMatch(/^PROCREF_SERVER_ARGUMENTS: .*'--allow-scripting'/)
    const script = await post(
      host.port,
      'USE NS main DB main; RETURN function() { return 7 }',
      `${host.user}:${host.password}`,
    )
    expect(JSON.parse(script.body)).toMatchObject([{}, { status: 'OK', result: 7 }])
  })

  test('an experimental feature that it does not know is an error that names it', async () => {
    const host = await hostOf(make({ storage: 'memory', capabilities: { experimental: ['no_such_feature'] } }))
    await expect(host.start()).rejects.toThrow(/^PROCREF_SERVER_ARGUMENTS: .*no_such_feature/)
  })

  test('a database that was made with another password is a typed error that names it', async () => {
    const first = await startServer(make())
    await first.end()
    const other = await hostOf(make(), { ...first, password: 'another one' })
    await expect(other.start()).rejects.toThrow(`PROCREF_CREDENTIALS_REFUSED: The database in ${first.databaseDir}`)
  })

  test('an end by a signal is reported as that', async () => {
    const server = await startServer(make({ storage: 'memory' }))
    server.child.send('kill')
    expect(await server.child.event('ended')).toMatchObject({ code: null, signal: 'SIGKILL' })
  })

  test('variables of SurrealDB in the environment of its host do not reach it', async () => {
    process.env.SURREAL_CAPS_ALLOW_GUESTS = 'true'
    process.env.SURREAL_UNAUTHENTICATED = 'true'
    onTestFinished(() => {
      delete process.env.SURREAL_CAPS_ALLOW_GUESTS
      delete process.env.SURREAL_UNAUTHENTICATED
    })
    const server = await startServer(make({ storage: 'memory' }))
    expect((await post(server.port, 'INFO FOR ROOT')).status).toBeGreaterThanOrEqual(400)
  })

  test.runIf(process.platform === 'linux')('sign-ins leave no memory behind', async () => {
    const server = await startServer(make({ storage: 'memory' }))
    const signIns = async (count: number): Promise<void> => {
      for (let done = 0; done < count; done++) await server.sql('RETURN 1')
    }
    await signIns(5)
    const before = ownMemory(server.pid) / MB
    await signIns(150)
    // It kept one of them for each part of its memory: some hundred megabytes.
    await eventually('it is given back', () => ownMemory(server.pid) / MB - before < 3 * SIGN_IN_MB)
  })

  test('even a stopped one (SIGSTOP) dies with its guardian', async () => {
    const server = await startServer(make({ storage: 'memory' }))
    await freeze(server.pid)
    server.child.kill('SIGKILL')
    await eventually('the stopped server is gone', () => !isAlive(server.pid))
  })

  test('its version is read from the executable', async () => {
    expect(await surrealVersion(path ?? '')).toMatch(/^\d+\.\d+\.\d+/)
  })
})

describe('which executable', () => {
  /** A `PATH` and a home of our own. */
  function fresh(): { readonly bin: string; readonly home: string; put(file: string, text?: string): string } {
    const dir = freshDir()
    const [bin, home] = [`${dir}/bin`, `${dir}/home`]
    mkdirSync(bin)
    const before = { ...process.env }
    process.env.PATH = bin
    process.env.HOME = home
    delete process.env.SURREAL_CLI_HOME
    onTestFinished(() => {
      process.env = before
    })
    return {
      bin,
      home,
      put(file, text = '#!/bin/sh\necho "3.3.5 for linux on x86_64"\n') {
        mkdirSync(file.slice(0, file.lastIndexOf('/')), { recursive: true })
        writeFileSync(file, text)
        chmodSync(file, 0o755)
        return file
      },
    }
  }

  test('the one that was asked for, and no other', () => {
    const { bin, put } = fresh()
    put(`${bin}/surreal`)
    const other = put(`${bin}/another`)
    expect(findSurreal(other)).toBe(other)
    expect(findSurreal('another')).toBe(other)
    expect(() => findSurreal('/nowhere/surreal')).toThrow(
      expect.objectContaining({
        code: 'PROCREF_EXECUTABLE_NOT_FOUND',
        message: expect.stringContaining('/nowhere/surreal'),
      }),
    )
  })

  test('surreal-db in PATH, else the pinned component of the launcher, else surreal in PATH', () => {
    const { bin, home, put } = fresh()
    expect(() => findSurreal(undefined)).toThrow(
      /surreal-db in PATH, .*\.surrealdb\/components\/db\/pin, surreal in PATH/,
    )
    const launcher = put(`${bin}/surreal`)
    expect(findSurreal(undefined)).toBe(launcher)
    const component = put(`${home}/.surrealdb/components/db/3.3.4/surreal-db`)
    expect(findSurreal(undefined)).toBe(launcher)
    put(`${home}/.surrealdb/components/db/pin`, '3.3.4\n')
    expect(findSurreal(undefined)).toBe(component)
    const server = put(`${bin}/surreal-db`)
    expect(findSurreal(undefined)).toBe(server)
  })

  test('a directory or a file that is not executable is none', () => {
    const { bin, put } = fresh()
    mkdirSync(`${bin}/surreal-db`)
    chmodSync(put(`${bin}/surreal`), 0o644)
    expect(() => findSurreal(undefined)).toThrow(/No surreal executable was found/)
  })

  test('a launcher without a database is refused with the remedy', async () => {
    const { bin, put } = fresh()
    process.env.PATH = `${bin}:/bin:/usr/bin`
    const table =
      'COMPONENT  VERSION  SOURCE  INSTALLED  PATH\ncli        0.1.0    cli                /usr/local/bin/surreal'
    const launcher = put(`${bin}/surreal`, `#!/bin/sh\ncat <<'E'\n${table}\nE\n`)
    await expect(surrealVersion(launcher)).rejects.toThrow(/only its launcher.*surreal install db/)
  })

  test.each([
    [
      'ends with exit code 3',
      '#!/bin/sh\necho "lib.so: not found" >&2\nexit 3\n',
      /ends with exit code 3: "lib.so: not found"/,
    ],
    ['is killed', '#!/bin/sh\nkill -9 $$\n', /ends with signal SIGKILL/],
    ['prints something else', '#!/bin/sh\necho hello\n', /prints no version, but "hello\\n"/],
    ['is no program', 'hello\n', /cannot be run \(E\w+\)|ends with exit code/],
  ])('an executable whose `version` %s is a typed error that says so', async (_, script, how) => {
    const { bin, put } = fresh()
    const broken = put(`${bin}/surreal`, script)
    await expect(surrealVersion(broken)).rejects.toMatchObject({
      code: 'PROCREF_EXECUTABLE_FAILED',
      file: broken,
      message: expect.stringMatching(how),
    })
  })

  test('no descriptor left to ask it with is told as that, and not as its fault', async () => {
    const program = fileURLToPath(new URL('../children/version-without-descriptors.mjs', import.meta.url))
    const child = atEnd(
      startProgram('prlimit', { args: ['--nofile=100', process.execPath, program, process.execPath] }),
    )
    expect(await child.event('refused')).toMatchObject({ code: 'PROCREF_TOO_MANY_OPEN_FILES' })
  })

  test('a server that is too old is refused before it is started', async () => {
    const { bin, put } = fresh()
    const old = put(`${bin}/surreal`, '#!/bin/sh\necho "1.5.6 for linux on x86_64"\n')
    await expect(surrealBinary({ path: old }).engine?.()).rejects.toThrow(
      `${old} is SurrealDB 1.5.6; procref wants 2.6.0 or newer`,
    )
  })

  test('PROCREF_SURREAL_BIN is what the guardian is told as well', () => {
    process.env.PROCREF_SURREAL_BIN = '/opt/surreal'
    onTestFinished(() => {
      if (path === undefined) delete process.env.PROCREF_SURREAL_BIN
      else process.env.PROCREF_SURREAL_BIN = path
    })
    expect(surrealBinary().descriptor.options).toMatchObject({ path: '/opt/surreal' })
    expect(surrealBinary({ path: '/usr/bin/surreal' }).descriptor.options).toMatchObject({ path: '/usr/bin/surreal' })
  })
})

describe('a server of the oldest version', () => {
  test('is waited for by /health, told to sync in its own words, and says its version', async () => {
    const file = new URL('../children/surreal-2.6.mjs', import.meta.url).pathname
    const host = await hostOf(surrealBinary({ path: file, capabilities: { network: ['a.example:443', 'b.example'] } }))
    expect(await host.start()).toMatchObject({ version: '2.6.5' })
    const [told, ...asked] = readFileSync(host.logFile, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(told.args).toEqual([
      `rocksdb://${host.databaseDir}`,
      '--no-banner',
      `--bind=127.0.0.1:${host.port}`,
      '--deny-guests',
      '--deny-net',
      '--allow-net=a.example:443,b.example',
    ])
    expect(told.env).toEqual({
      SURREAL_LOG: 'warn,surrealdb::core::kvs::migration=info',
      SURREAL_ONLINE_VERSION_CHECK: 'false',
      SURREAL_SYNC_DATA: 'true',
    })
    // One that was not answered in time is asked again.
    const urls = new Set(asked.map(({ url }: { url: string }) => url))
    expect([...urls]).toEqual(['/ready', '/health', '/sql', '/version'])
    await host.gone()
  })
})

describe('options of surreal start', () => {
  test.each([
    ['--bind', '0.0.0.0:1'],
    ['--pass=x'],
    ['-p', 'x'],
    ['--unauthenticated'],
    ['-b=1'],
    ['memory://'],
    ['-A'],
    ['--allow-all'],
    ['--deny-guests'],
    ['--allow-net', 'example.com'],
    ['--allow-experimental=files'],
    ['--deny-experimental'],
  ])('refuses %s, which is the guardian’s business', (...args) => {
    expect(() => surrealBinary({ args })).toThrow(TypeError)
  })

  test('hands on others, and makes all clients agree on them', () => {
    const args = ['--query-timeout', '30s']
    expect(surrealBinary({ args }).settings).toMatchObject({ storage: 'rocksdb', args })
    expect(surrealBinary({ args }).asked).toEqual({ storage: 'rocksdb', args })
    expect(surrealBinary().settings).not.toHaveProperty('args')
  })
})
