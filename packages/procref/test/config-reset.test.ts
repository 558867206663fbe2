import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { deleteData } from '@procref/lifecycle'
import { atEnd, type Child, endDirectory, eventually, freshDir, lockUsers, startProgram } from '@procref/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { KNOWN_BACKENDS } from '../dist/backends.js'
import { backendByName } from '../dist/choose-backend.js'
import { resetDirectory } from '../dist/commands/reset.js'

const PROCREF = fileURLToPath(new URL('../bin/procref.js', import.meta.url))

function serviceDir(): string {
  const dir = `${freshDir()}/service`
  onTestFinished(async () => {
    await endDirectory(dir)
    rmSync(dir, { recursive: true, force: true })
  })
  return dir
}

function start(dir: string, ...args: readonly string[]): Child {
  return atEnd(startProgram(process.execPath, { args: [PROCREF, ...args, '--dir', dir], env: { NO_COLOR: '1' } }))
}

async function procref(dir: string, ...args: readonly string[]) {
  const child = start(dir, ...args)
  child.end()
  const { code } = await child.exited
  return { code, stdout: child.stdout(), stderr: child.stderr() }
}

/** Rows of the table `row`, in a directory whose server has stopped again. */
async function rows(dir: string, statements = ''): Promise<number> {
  const query = `${statements}; DEFINE TABLE IF NOT EXISTS row; RETURN count(SELECT * FROM row)`
  const { code, stdout, stderr } = await procref(
    dir,
    ...['sql', '--driver', 'embedded', '--linger', '0s', '--json', '--query', query],
  )
  expect({ code, stderr }).toMatchObject({ code: 0 })
  await eventually('the server has stopped', () => lockUsers(dir).length === 0)
  return JSON.parse(stdout).at(-1).result
}

const journalOf = (dir: string): readonly string[] =>
  readFileSync(join(dir, 'journal.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).event)

describe('procref config', () => {
  test('says what holds and why, in a directory that nobody has used, and makes nothing', async () => {
    const dir = serviceDir()
    const { code, stdout } = await procref(dir, 'config')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^storage +rocksdb +default$/m)
    expect(stdout).toMatch(/^port +a free one +default$/m)
    expect(stdout).toMatch(/^slots +100 +default$/m)
    expect(stdout).toMatch(/^lingerMs +10000 +default$/m)
    expect(existsSync(dir)).toBe(false)
  })

  test('a setting that is written holds for the next server, and one that is taken back does not', async () => {
    const dir = serviceDir()
    expect(await procref(dir, 'config', 'set', 'storage', 'surrealkv')).toMatchObject({ code: 0, stderr: '' })
    expect(await procref(dir, 'config', 'set', 'lingerMs', '1.5s')).toMatchObject({ code: 0 })
    expect(await procref(dir, 'config', 'set', 'slots', '7')).toMatchObject({ code: 0 })
    expect(JSON.parse(readFileSync(join(dir, 'config.json'), 'utf8'))).toEqual({
      ...{ storage: 'surrealkv', slots: 7, lingerMs: 1_500 },
    })
    expect(statSync(dir).mode & 0o777).toBe(0o700)
    expect(statSync(join(dir, 'config.json')).mode & 0o777).toBe(0o600)
    expect(await rows(dir)).toBe(0)
    expect(JSON.parse(readFileSync(join(dir, 'data', 'engine.json'), 'utf8'))).toMatchObject({ storage: 'surrealkv' })
    expect(readdirSync(join(dir, 'slots')).filter((name) => name.endsWith('.lock')).length).toBeLessThanOrEqual(7)
    await procref(dir, 'config', 'unset', 'lingerMs')
    const { settings } = JSON.parse((await procref(dir, 'config', '--json')).stdout)
    const port = JSON.parse(readFileSync(join(dir, 'server.json'), 'utf8')).port
    expect(settings).toEqual([
      { name: 'storage', value: 'surrealkv', from: 'config.json' },
      { name: 'port', value: port, from: 'recorded' },
      { name: 'slots', value: 7, from: 'config.json' },
      { name: 'lingerMs', value: 10_000, from: 'default' },
    ])
  })

  test.each([
    [['set', 'lingr', '1'], /There is no setting "lingr"\. The settings are storage, port, slots, lingerMs\./],
    [['set', 'port', '0'], /port must be a whole number from 1 to 65535, not 0/],
    [['set', 'port', 'http'], /port must be a whole number from 1 to 65535, not "http"/],
    [['set', 'lingerMs', 'soon'], /lingerMs must be a whole number from 0 to 2147483647, not "soon"/],
    [['set', 'storage', 'disk'], /storage must be one of "memory", "rocksdb", "surrealkv", not "disk"/],
    [['unset', 'lingr'], /There is no setting "lingr"/],
  ])('what cannot be is refused, and nothing is made: %j', async (args, message) => {
    const dir = serviceDir()
    const { code, stderr } = await procref(dir, 'config', ...args)
    expect(code).toBe(2)
    expect(stderr).toMatch(message)
    expect(existsSync(dir)).toBe(false)
  })

  test('what the directory was made with cannot be set to anything else', async () => {
    const dir = serviceDir()
    expect(await rows(dir)).toBe(0)
    for (const [name, value] of [
      ['slots', '101'],
      ['storage', 'surrealkv'],
    ] as const) {
      const { code, stderr } = await procref(dir, 'config', 'set', name, value)
      expect(code).toBe(1)
      expect(stderr).toMatch(new RegExp(`was made with ${name} `))
      expect(stderr).toMatch(name === 'slots' ? /delete its folder slots/ : /procref reset/)
    }
    expect(existsSync(join(dir, 'config.json'))).toBe(false)
    expect(await procref(dir, 'config', 'set', 'slots', '100')).toMatchObject({ code: 0 })
  })

  test('a file that is wrong is told with its line, and left as it is', async () => {
    const dir = serviceDir()
    mkdirSync(dir, { mode: 0o700 })
    writeFileSync(join(dir, 'config.json'), '{\n  "lingr": 1\n}\n')
    const { code, stderr } = await procref(dir, 'config', 'set', 'port', '8000')
    expect(code).toBe(1)
    expect(stderr).toMatch(/config\.json, line 2: there is no setting "lingr"/)
    expect(readFileSync(join(dir, 'config.json'), 'utf8')).toContain('lingr')
  })
})

describe('procref reset', () => {
  test('deletes the rows and the password; the next user gets an empty database', async () => {
    const dir = serviceDir()
    expect(await rows(dir, 'CREATE row')).toBe(1)
    const password = readFileSync(join(dir, 'data', 'credentials.json'), 'utf8')
    const { code, stdout } = await procref(dir, 'reset', '--yes')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^deleted {2}the database in .*\/data \(\d+ files, [\d.]+ [KM]iB\)/)
    expect(readdirSync(dir).filter((name) => name.startsWith('data'))).toEqual([])
    expect(existsSync(join(dir, 'slots', 'protocol.json'))).toBe(true)
    expect(journalOf(dir).slice(-2)).toEqual(['data-deleting', 'data-deleted'])
    expect(await rows(dir)).toBe(0)
    expect(readFileSync(join(dir, 'data', 'credentials.json'), 'utf8')).not.toBe(password)
    expect((await procref(dir, 'doctor')).code).toBe(0)
  })

  test('where nobody can be asked it wants --yes, and says what it would delete', async () => {
    const dir = serviceDir()
    expect(await rows(dir, 'CREATE row')).toBe(1)
    const { code, stderr } = await procref(dir, 'reset')
    expect(code).toBe(2)
    expect(stderr).toMatch(/the database in .*\/data \(\d+ files, .* [KM]iB\) would be deleted\. Say so with --yes\./)
    expect(await rows(dir)).toBe(1)
  })

  test('asks once, and a no deletes nothing', async () => {
    const dir = serviceDir()
    expect(await rows(dir, 'CREATE row')).toBe(1)
    const asked: string[] = []
    const answer = (yes: boolean) => async (question: string) => {
      asked.push(question)
      return yes
    }
    expect(await resetDirectory({ dir }, answer(false))).toEqual({ dir, state: 'declined', deleted: null })
    expect(await rows(dir)).toBe(1)
    expect(await resetDirectory({ dir }, answer(true))).toMatchObject({ state: 'deleted' })
    expect(asked).toHaveLength(2)
    expect(asked[0]).toMatch(/^Delete the database in .*\? Nothing brings it back\.$/)
  })

  test('is refused while somebody uses it, and while a server runs that nobody uses any more', async () => {
    const dir = serviceDir()
    const program = [process.execPath, '-e', 'process.stdin.resume(); console.log("up")']
    // Ended by `procref stop`; before that the commands take as long as they take.
    const options = ['--dir', dir, '--driver', 'embedded', '--linger', '10m']
    const user = atEnd(startProgram(process.execPath, { args: [PROCREF, 'run', ...options, '--', ...program] }))
    await user.line()
    const used = await procref(dir, 'reset', '--yes')
    expect(used.code).toBe(1)
    expect(used.stderr).toMatch(/guardian\.lock is held, by a guardian \(pid \d+, as it recorded\)/)
    user.end()
    await user.exited
    const lingering = await procref(dir, 'reset', '--yes')
    expect(lingering.stderr).toMatch(/end it with `procref stop`/)
    expect(existsSync(join(dir, 'data', 'db'))).toBe(true)
    expect((await procref(dir, 'stop')).code).toBe(0)
    expect((await procref(dir, 'reset', '--yes')).code).toBe(0)
  })

  test('is refused while a slot is held without a server, and names who holds it', async () => {
    const dir = serviceDir()
    expect(await rows(dir, 'CREATE row')).toBe(1)
    const holder = start(dir, 'slot', 'hold', '--label', 'the holder')
    await holder.line()
    const { code, stderr } = await procref(dir, 'reset', '--yes')
    expect(code).toBe(1)
    expect(stderr).toMatch(/in use by .*the holder.*End them first/s)
    holder.end()
    await holder.exited
    expect(await rows(dir)).toBe(1)
  })

  test('there is nothing to delete where nothing is, and nothing is made', async () => {
    const dir = serviceDir()
    const { code, stdout } = await procref(dir, 'reset', '--yes')
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${dir} has no database: nothing to delete\n` })
    expect(existsSync(dir)).toBe(false)
  })

  test.each(['locked', 'noted', 'moved-away'] as const)(
    'killed when it had %s: all of it is there, or nothing; the next one finishes it',
    async (step) => {
      const dir = serviceDir()
      expect(await rows(dir, 'CREATE row')).toBe(1)
      const killed = atEnd(
        startProgram(process.execPath, {
          args: [fileURLToPath(new URL('./children/reset-until.mjs', import.meta.url)), dir, step],
        }),
      )
      expect((await killed.exited).signal).toBe('SIGKILL')
      expect(await rows(dir)).toBe(step === 'moved-away' ? 0 : 1)
      const { findings } = JSON.parse((await procref(dir, 'doctor', '--json')).stdout)
      expect(findings.some(({ code }: { code: string }) => code === 'half-deleted-data')).toBe(step === 'moved-away')
      expect((await procref(dir, 'reset', '--yes')).code).toBe(0)
      expect(readdirSync(dir).filter((name) => name.startsWith('data'))).toEqual([])
    },
  )

  test.each(KNOWN_BACKENDS.map(({ name }) => name))('with the locks of %s', async (name) => {
    const dir = serviceDir()
    const backend = await backendByName(name)
    await using pool = await backend.open(join(dir, 'slots'))
    mkdirSync(join(dir, 'data'), { mode: 0o700 })
    writeFileSync(join(dir, 'data', 'some'), 'bytes')
    const slot = await pool.claim()
    await expect(deleteData(dir, backend)).rejects.toThrow(/in use by/)
    await slot.release()
    expect(await deleteData(dir, backend)).toMatchObject({ path: join(dir, 'data') })
    expect(existsSync(join(dir, 'data'))).toBe(false)
    expect(await deleteData(dir, backend)).toBeUndefined()
    // Nothing of it is locked any more.
    mkdirSync(join(dir, 'data'), { mode: 0o700 })
    expect(await deleteData(dir, backend)).toMatchObject({ files: 0, bytes: 0 })
  })

  test('a link in its place is not followed', async () => {
    const dir = serviceDir()
    expect(await rows(dir, 'CREATE row')).toBe(1)
    const elsewhere = `${dir}.elsewhere`
    renameSync(join(dir, 'data'), elsewhere)
    symlinkSync(elsewhere, join(dir, 'data'))
    expect((await procref(dir, 'reset', '--yes')).code).toBe(1)
    expect(existsSync(join(elsewhere, 'db'))).toBe(true)
  })
})
