import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TakeOverStep } from '@procref/lifecycle'
import {
  atEnd,
  type Child,
  eventually,
  isAlive,
  isRoot,
  lockUsers,
  makeTempDir,
  mountTmpfs,
  processState,
  servantsOf,
  shareOf,
  startProgram,
  testsInTurn,
} from '@procref/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { finish, procref } from './data-service.ts'
import {
  type Durable,
  makeDatabase,
  makePlace,
  namesBelow,
  PASSWORD,
  type Place,
  ROWS,
  SURREAL,
  snapshotOf,
  startByHand,
} from './hand-server.ts'

const PROCREF = fileURLToPath(new URL('../bin/procref.js', import.meta.url))
const STORAGES = ['rocksdb', 'surrealkv'] as const

const STEPS: readonly TakeOverStep[] = ['locked', 'held', 'copied', 'proven', 'noted', 'taken', 'moved-away', 'deleted']

const made = {} as Record<Durable, string>
const all = makeTempDir()
afterAll(async () => await all[Symbol.asyncDispose]())

beforeAll(async () => {
  if (SURREAL === undefined) return
  for (const storage of STORAGES) {
    made[storage] = join(all.path, storage)
    await makeDatabase(storage, made[storage])
  }
})

async function takeOver({ folder, dir, passwordFile }: Place, ...args: readonly string[]) {
  return await finish(
    procref(['take-over', folder, '--dir', dir, '--password-file', passwordFile, '--driver', 'binary', ...args]),
  )
}

/** How many rows the next user of the directory finds; the server has stopped again afterwards. */
async function rowsIn(dir: string, driver = 'binary'): Promise<number> {
  const query = 'RETURN count(SELECT * FROM row)'
  const args = ['sql', '--dir', dir, '--driver', driver, '--linger', '0s', '--json', '--query', query]
  const { code, stdout, stderr } = await finish(procref(args))
  expect({ code, stderr }).toMatchObject({ code: 0 })
  await nothingRuns(dir)
  return JSON.parse(stdout)[0].result
}

async function nothingRuns(dir: string): Promise<void> {
  await eventually('nothing runs', () => servantsOf(dir).length === 0 && lockUsers(dir).length === 0)
}

/** Waits until the place's folder can be opened: a server that is ending gives up its database's own lock when it pleases, not with procref's. */
async function nobodyHasTheData(place: Place): Promise<void> {
  await nothingRuns(place.parent)
  const workplaces = namesBelow(place.parent).filter((name) => name.endsWith('server.json'))
  const pids = workplaces.flatMap((name) => {
    const { guardian, server } = JSON.parse(readFileSync(join(place.parent, name), 'utf8'))
    return [guardian, server].flatMap((process) => process?.pid ?? [])
  })
  await eventually('whoever served it has ended', () => !pids.some(isAlive))
}

/** The folder is as it was, the directory has nothing, and nothing was left beside them. */
async function nothingHappened(place: Place, before: readonly string[]): Promise<void> {
  await nothingRuns(place.parent)
  expect(snapshotOf(place.folder)).toEqual(before)
  expect(existsSync(join(place.dir, 'data'))).toBe(false)
  expect(leftBeside(place)).toEqual([])
}

function leftBeside({ parent, dir }: Place): readonly string[] {
  const inside = existsSync(dir) ? readdirSync(dir) : []
  return [...readdirSync(parent), ...inside].filter((name) => /procref-|taking-over-|takeover/.test(name))
}

/** It is all there, closed to others, as procref keeps it; the folder is gone. */
async function isTakenOver(place: Place, storage: Durable): Promise<void> {
  const { dir, folder } = place
  expect(existsSync(folder)).toBe(false)
  expect(leftBeside(place)).toEqual([])
  const data = join(dir, 'data')
  const { user, password } = JSON.parse(readFileSync(join(data, 'credentials.json'), 'utf8'))
  expect({ user, password }).toEqual({ user: 'root', password: PASSWORD })
  expect(JSON.parse(readFileSync(join(data, 'engine.json'), 'utf8'))).toMatchObject({ engine: 'surrealdb', storage })
  // A server gives its own files other modes, in a folder that nobody else can enter.
  const names = existsSync(join(dir, 'server.json')) ? [] : namesBelow(join(data, 'db')).map((file) => join('db', file))
  for (const name of ['credentials.json', ...names]) {
    expect(statSync(join(data, name)).mode & 0o777, name).toBe(0o600)
  }
  expect(statSync(join(data, 'db')).mode & 0o777).toBe(0o700)
  expect(existsSync(join(data, 'takeover.json'))).toBe(false)
  expect(await rowsIn(dir)).toBe(ROWS)
}

describe.runIf(SURREAL !== undefined).each(STORAGES)('procref take-over (%s)', (storage) => {
  const testInTurn = testsInTurn(test, storage, STORAGES)
  const other = storage === 'rocksdb' ? 'surrealkv' : 'rocksdb'

  test('the database of a server that was started by hand is served by the next start, with its password', async () => {
    const place = makePlace(made[storage])
    const size = namesBelow(place.folder).length
    const { code, stdout, stderr } = await takeOver(place)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(
      new RegExp(`^taken over {2}the ${storage} database of ${place.folder} \\(\\d+ files, [\\d.]+ [KM]iB\\)`),
    )
    expect(stdout).toMatch(/its root user root stays/)
    expect(size).toBeGreaterThan(2)
    await isTakenOver(place, storage)
    expect((await finish(procref(['doctor', '--dir', place.dir]))).code).toBe(0)
    const { stdout: secrets } = await finish(procref(['start', '--dir', place.dir, '--json']))
    expect(JSON.parse(secrets)).toMatchObject({ state: 'serving', server: { storage, driver: 'surreal-binary' } })
    expect((await finish(procref(['stop', '--dir', place.dir]))).code).toBe(0)
  })

  test('its copy is taken, and the folder stays as it was, for its own server too', async () => {
    const place = makePlace(made[storage])
    const before = snapshotOf(place.folder)
    const { code, stdout } = await takeOver(place, '--copy', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ state: 'taken-over', original: 'kept', storage, user: 'root' })
    expect(snapshotOf(place.folder)).toEqual(before)
    expect(leftBeside(place)).toEqual([])
    {
      await using server = await startByHand(storage, place.folder)
      expect(await server.query('CREATE row:more; RETURN count(SELECT * FROM row)')).toMatchObject([{}, ROWS + 1])
    }
    expect(await rowsIn(place.dir)).toBe(ROWS)
  })

  testInTurn(
    'a wrong password, a user who is not there, and one who may not all are refused, and nothing has changed',
    async () => {
      const place = makePlace(made[storage])
      const before = snapshotOf(place.folder)
      const lockFile = join(place.folder, 'LOCK')
      const hadLockFile = existsSync(lockFile)
      for (const [user, password, why] of [
        ['root', 'wrong', 'is not let in with that password by'],
        ['nobody', PASSWORD, 'is not let in with that password by'],
        ['editor', 'may not all', 'is let in, but is no root user with the role OWNER of'],
      ] as const) {
        writeFileSync(place.passwordFile, password)
        const { code, stdout, stderr } = await takeOver(place, '--user', user, '--json')
        expect(code, user).toBe(1)
        expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'PROCREF_FOLDER_PASSWORD' } })
        expect(stderr).toContain(`The user ${user} ${why} the database in ${place.folder}. Nothing was changed.`)
        expect(stdout + stderr).not.toContain(PASSWORD)
        await nothingHappened(place, before)
        expect(existsSync(lockFile)).toBe(hadLockFile)
      }
      writeFileSync(place.passwordFile, PASSWORD)
      expect((await takeOver(place)).code).toBe(0)
      await isTakenOver(place, storage)
    },
  )

  testInTurn('while its own server runs it is refused with that pid, and the server is not disturbed', async () => {
    const place = makePlace(made[storage])
    await using server = await startByHand(storage, place.folder)
    const { code, stdout, stderr } = await takeOver(place, '--json')
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'PROCREF_FOLDER_IN_USE' } })
    expect(stderr).toMatch(
      new RegExp(`lock is held by process ${server.child.pid} \\(.*surreal.* start\\)\\. Nothing was changed`),
    )
    expect(await server.query('CREATE row:more; RETURN count(SELECT * FROM row)')).toMatchObject([{}, ROWS + 1])
    expect(existsSync(join(place.dir, 'data'))).toBe(false)
    expect(leftBeside(place)).toEqual([])
  })

  testInTurn('while it is taken over its own server cannot be started', async () => {
    const place = makePlace(made[storage])
    const child = atEnd(
      startProgram(process.execPath, {
        args: [fileURLToPath(new URL('./children/take-over-stops.mjs', import.meta.url)), ...argsOf(place), 'proven'],
      }),
    )
    await standsStillAt('proven', child)
    await expect(startByHand(storage, place.folder).then((server) => server[Symbol.asyncDispose]())).rejects.toThrow()
    child.kill('SIGCONT')
    expect(await child.exited).toMatchObject({ code: 0 })
    await isTakenOver(place, storage)
  })

  testInTurn('another storage than the one that is said is refused', async () => {
    const place = makePlace(made[storage])
    const before = snapshotOf(place.folder)
    const { code, stdout } = await takeOver(place, '--storage', other, '--json')
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'PROCREF_DATA_ENGINE_MISMATCH' } })
    const named = await takeOver({ ...place, folder: `${other}://${place.folder}` }, '--json')
    expect(JSON.parse(named.stdout)).toMatchObject({ error: { code: 'PROCREF_DATA_ENGINE_MISMATCH' } })
    const options = await takeOver({ ...place, folder: `${storage}://${place.folder}?versioned=true` })
    expect(options).toMatchObject({ code: 2, stderr: expect.stringContaining('behind the "?"') })
    await nothingHappened(place, before)
    expect((await takeOver({ ...place, folder: `${storage}://${place.folder}` })).code).toBe(0)
    await isTakenOver(place, storage)
  })

  // What the two do differently is in the files, not in the steps.
  test.each(shareOf(STEPS, storage, STORAGES))(
    'killed when it was %s: the folder is as it was, or the directory has it all; the same call does the rest',
    async (step) => {
      const place = makePlace(made[storage])
      const before = snapshotOf(place.folder)
      const killed = atEnd(
        startProgram(process.execPath, {
          args: [fileURLToPath(new URL('./children/take-over-until.mjs', import.meta.url)), ...argsOf(place), step],
        }),
      )
      expect(await killed.exited).toMatchObject({ signal: 'SIGKILL' })
      const isTaken = ['taken', 'moved-away', 'deleted'].includes(step)
      expect(existsSync(join(place.dir, 'data', 'db'))).toBe(isTaken)
      if (isTaken) {
        await nothingRuns(place.dir)
        expect(await rowsIn(place.dir)).toBe(ROWS)
      } else {
        expect(snapshotOf(place.folder)).toEqual(before)
      }
      const { code, stdout, stderr } = await takeOver(place, '--json')
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(JSON.parse(stdout)).toMatchObject({ state: isTaken ? 'finished' : 'taken-over', original: 'removed' })
      await isTakenOver(place, storage)
    },
  )

  testInTurn(
    'killed before the folder was removed, and written to by its own server since: neither is lost',
    async () => {
      const place = makePlace(made[storage])
      const killed = atEnd(
        startProgram(process.execPath, {
          args: [fileURLToPath(new URL('./children/take-over-until.mjs', import.meta.url)), ...argsOf(place), 'taken'],
        }),
      )
      await killed.exited
      await nobodyHasTheData(place)
      {
        await using server = await startByHand(storage, place.folder)
        await server.query('CREATE row:more')
      }
      const { findings } = JSON.parse((await finish(procref(['doctor', '--dir', place.dir, '--json']))).stdout)
      expect(findings.map(({ code }: { code: string }) => code)).toContain('taken-over-folder')
      const { code, stdout } = await takeOver(place, '--json')
      expect(code).toBe(1)
      expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'PROCREF_FOLDER_CHANGED' } })
      expect(await rowsIn(place.dir)).toBe(ROWS)
      await using server = await startByHand(storage, place.folder)
      expect(await server.query('RETURN count(SELECT * FROM row)')).toEqual([ROWS + 1])
    },
  )

  test.runIf(isRoot())('into a directory on another file system', async () => {
    await using elsewhere = mountTmpfs({ bytes: 256 << 20 })
    const place = { ...makePlace(made[storage]), dir: join(elsewhere.path, 'service') }
    try {
      expect(await takeOver(place)).toMatchObject({ code: 0 })
      await isTakenOver(place, storage)
    } finally {
      await nothingRuns(place.dir)
    }
  })

  testInTurn('data of a newer version are refused before anything is opened', async () => {
    const place = makePlace(made[storage])
    const before = snapshotOf(place.folder)
    const { code, stdout } = await takeOver(place, '--from-version', '99.0.0', '--json')
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'PROCREF_NEWER_DATA' } })
    await nothingHappened(place, before)
  })

  testInTurn('the embedded engine, which is older, does not get what the executable has written', async () => {
    const place = makePlace(made[storage])
    const before = snapshotOf(place.folder)
    const embedded = ['--driver', 'embedded', '--json']
    const untold = await takeOver(place, ...embedded)
    expect(JSON.parse(untold.stdout)).toMatchObject({ error: { code: 'PROCREF_DATA_VERSION_UNKNOWN' } })
    const version = /(\d+\.\d+\.\d+)/.exec((await finish(versionOfSurreal())).stdout)?.[1] ?? ''
    const told = await takeOver(place, ...embedded, '--from-version', version)
    expect(JSON.parse(told.stdout)).toMatchObject({ error: { code: 'PROCREF_NEWER_DATA' } })
    await nothingHappened(place, before)
    expect((await takeOver(place)).code).toBe(0)
    const { code, stdout } = await finish(
      procref(['sql', '--dir', place.dir, '--driver', 'embedded', '--json', '--query', 'RETURN 1']),
    )
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'PROCREF_NEWER_DATA' } })
    await isTakenOver(place, storage)
  })

  testInTurn(
    'what the embedded engine has written is taken over by it, and by the executable only as an upgrade',
    async () => {
      const place = makePlace(made[storage])
      const source = join(place.parent, 'source')
      const create = `DEFINE TABLE row; FOR $i IN 0..${ROWS} { CREATE type::record("row", $i) }`
      const sql = [
        'sql',
        '--dir',
        source,
        '--driver',
        'embedded',
        '--storage',
        storage,
        '--linger',
        '0s',
        '--query',
        create,
      ]
      expect((await finish(procref(sql))).code).toBe(0)
      await nothingRuns(source)
      const { user, password } = JSON.parse(readFileSync(join(source, 'data', 'credentials.json'), 'utf8'))
      writeFileSync(place.passwordFile, password)
      const old = { ...place, folder: join(place.parent, 'old.db') }
      cpSync(join(source, 'data', 'db'), old.folder, { recursive: true, preserveTimestamps: true })
      const before = snapshotOf(old.folder)
      const refused = await takeOver(old, '--user', user, '--json')
      expect(JSON.parse(refused.stdout)).toMatchObject({
        error: { code: 'PROCREF_UPGRADE_NEEDED', message: expect.stringMatching(/older than 3\.3\.0.*--upgrade/s) },
      })
      await nothingHappened(old, before)
      const kept = await takeOver(old, '--user', user, '--json', '--upgrade', '--copy')
      expect(JSON.parse(kept.stdout)).toMatchObject({ state: 'taken-over', writtenBy: null, original: 'kept' })
      expect(await rowsIn(old.dir)).toBe(ROWS)
      expect(snapshotOf(old.folder)).toEqual(before)
      const again = { ...old, dir: join(place.parent, 'again') }
      const taken = await takeOver(again, '--user', user, '--json', '--driver', 'embedded', '--from-version', '3.0.2')
      expect(JSON.parse(taken.stdout)).toMatchObject({ state: 'taken-over', writtenBy: '3.0.2', version: '3.0.2' })
      expect(await rowsIn(again.dir, 'embedded')).toBe(ROWS)
    },
  )
})

describe.runIf(SURREAL !== undefined)('procref take-over', () => {
  test('a directory that has a database keeps it, and one that is used is not touched', async () => {
    const place = makePlace(made.rocksdb)
    const before = snapshotOf(place.folder)
    const start = ['start', '--dir', place.dir, '--driver', 'binary', '--json']
    expect((await finish(procref(start))).code).toBe(0)
    const served = await takeOver(place, '--json')
    expect(JSON.parse(served.stdout)).toMatchObject({ error: { code: 'PROCREF_GUARDIAN_RUNS' } })
    expect((await finish(procref(['stop', '--dir', place.dir]))).code).toBe(0)
    const stopped = await takeOver(place, '--json')
    expect(JSON.parse(stopped.stdout)).toMatchObject({ error: { code: 'PROCREF_DATABASE_PRESENT' } })
    expect(snapshotOf(place.folder)).toEqual(before)
    expect((await finish(procref(['reset', '--yes', '--dir', place.dir]))).code).toBe(0)
    const holder = procref(['slot', 'hold', '--label', 'the holder', '--dir', place.dir])
    await holder.line()
    const held = await takeOver(place)
    expect(held.stderr).toMatch(/in use by .*the holder.*End them first/s)
    holder.end()
    await holder.exited
    await nothingHappened(place, before)
    expect((await takeOver(place)).code).toBe(0)
    await isTakenOver(place, 'rocksdb')
  })

  test('a directory whose first start failed gets it, and so does a client that comes meanwhile', async () => {
    const place = makePlace(made.rocksdb)
    const database = join(place.dir, 'data', 'db')
    mkdirSync(database, { recursive: true, mode: 0o700 })
    writeFileSync(join(place.dir, 'data', 'credentials.json'), '{"user":"procref","password":"of nothing"}', {
      mode: 0o600,
    })
    const child = atEnd(
      startProgram(process.execPath, {
        args: [fileURLToPath(new URL('./children/take-over-stops.mjs', import.meta.url)), ...argsOf(place), 'proven'],
      }),
    )
    await standsStillAt('proven', child)
    rmdirSync(database)
    const query = ['--json', '--query', 'RETURN count(SELECT * FROM row)']
    const client = procref(['sql', '--dir', place.dir, '--driver', 'binary', '--linger', '0s', ...query])
    await eventually('its guardian has made the folder of the database', () => existsSync(database))
    child.kill('SIGCONT')
    expect(await child.exited).toMatchObject({ code: 0 })
    const { code, stdout } = await finish(client)
    expect({ code, rows: JSON.parse(stdout)[0]?.result }).toEqual({ code: 0, rows: ROWS })
    await nothingRuns(place.dir)
    await isTakenOver(place, 'rocksdb')
  })

  test('what is no database, not there, in the directory, or has links in it, is refused', async () => {
    const place = makePlace(made.rocksdb)
    const empty = join(place.parent, 'empty')
    mkdirSync(empty)
    const refused = async (folder: string, dir = place.dir) => {
      const { code, stdout } = await takeOver({ ...place, folder, dir }, '--json')
      return { exit: code, ...JSON.parse(stdout).error }
    }
    expect(await refused(empty)).toMatchObject({ exit: 1, code: 'PROCREF_NOT_A_DATABASE' })
    expect(await refused(join(place.parent, 'none'))).toMatchObject({ exit: 1, code: 'PROCREF_NOT_FOUND' })
    expect(await refused(place.passwordFile)).toMatchObject({ exit: 1, code: 'PROCREF_NOT_A_DATABASE' })
    expect(await refused(place.folder, join(place.folder, 'service'))).toMatchObject({ code: 'PROCREF_NOT_A_DATABASE' })
    renameSync(join(place.folder, 'CURRENT'), join(place.parent, 'CURRENT'))
    expect(await refused(place.folder)).toMatchObject({ exit: 1, code: 'PROCREF_DATABASE_DAMAGED' })
    symlinkSync(join(place.parent, 'CURRENT'), join(place.folder, 'CURRENT'))
    expect(await refused(place.folder)).toMatchObject({ exit: 1, code: 'PROCREF_NOT_A_DATABASE' })
    expect(existsSync(place.dir)).toBe(false)
    expect(leftBeside(place)).toEqual([])
  })

  test('a folder with both storages in it is taken over only as the one that is said', async () => {
    const place = makePlace(made.rocksdb)
    cpSync(made.surrealkv, place.folder, { recursive: true, filter: (path) => !path.endsWith('LOCK') })
    const { stdout } = await takeOver(place, '--json')
    expect(JSON.parse(stdout).error).toMatchObject({
      code: 'PROCREF_NOT_A_DATABASE',
      message: expect.stringMatching(/rocksdb and surrealkv.*--storage/),
    })
    expect((await takeOver(place, '--storage', 'rocksdb')).code).toBe(0)
    await isTakenOver(place, 'rocksdb')
  })

  test('the password comes from a file or standard input, and from nowhere else', async () => {
    const place = makePlace(made.rocksdb)
    const args = ['take-over', place.folder, '--dir', place.dir, '--driver', 'binary']
    expect(await finish(procref(args))).toMatchObject({ code: 2, stderr: expect.stringContaining('--password-file') })
    expect(await finish(procref([...args, '--password', PASSWORD]))).toMatchObject({ code: 2 })
    writeFileSync(place.passwordFile, '\n')
    expect(await takeOver(place)).toMatchObject({ code: 2, stderr: expect.stringContaining('is empty') })
    expect(existsSync(place.dir)).toBe(false)
    const child = procref([...args, '--password-file', '-'])
    child.send(PASSWORD)
    expect((await finish(child)).code).toBe(0)
    await isTakenOver(place, 'rocksdb')
    for (const name of ['journal.ndjson', 'server.log']) {
      expect(readFileSync(join(place.dir, name), 'utf8')).not.toContain(PASSWORD)
    }
  })
})

test.runIf(SURREAL !== undefined)('a password that is typed on a terminal is not shown', async () => {
  const place = makePlace(made.rocksdb)
  const command = [process.execPath, PROCREF, 'take-over', place.folder, '--dir', place.dir, '--driver', 'binary']
  const script = fileURLToPath(new URL('./children/in-terminal.py', import.meta.url))
  // One key too many, taken back.
  const child = atEnd(startProgram('python3', { args: [script, 'Password of root', `${PASSWORD}x\x7f\r`, ...command] }))
  const { code } = await child.exited
  expect({ code, shown: child.stdout() }).toEqual({ code: 0, shown: expect.stringContaining('taken over') })
  expect(child.stdout()).not.toContain(PASSWORD)
  await isTakenOver(place, 'rocksdb')
})

/** It says which step it has done, THEN stops itself: a SIGCONT that came in between would be lost. */
async function standsStillAt(step: TakeOverStep, child: Child): Promise<void> {
  expect(await child.line()).toBe(step)
  await eventually('it stands still', () => processState(child.pid)?.state === 'T')
}

function argsOf({ folder, dir, passwordFile }: Place): readonly string[] {
  return [folder, dir, passwordFile]
}

function versionOfSurreal() {
  return atEnd(startProgram(SURREAL ?? '', { args: ['version'] }))
}
