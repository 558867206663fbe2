import { execFileSync, spawnSync } from 'node:child_process'
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Json, migrating, type SlotBackend } from '@procref/core'
import { flock } from '@procref/flock'
import { isNativeCodeHere, native, ofdRange } from '@procref/native'
import { atEnd, type Child, freshDir, removeSetsAfterwards, startProgram } from '@procref/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { keyOf } from '../dist/seed/remains.js'
// Not part of the public interface.
import { findSets, removeSet } from '../dist/seed/semaphore-sets.js'

const PROCREF = fileURLToPath(new URL('../bin/procref.js', import.meta.url))
const KILLED = fileURLToPath(new URL('./children/migrate.mjs', import.meta.url))

interface Outcome {
  readonly code: number | null
  readonly result: Readonly<Record<string, Json>> & { readonly remains: readonly Readonly<Record<string, Json>>[] }
  readonly stderr: string
}

async function migrate(dir: string, ...args: readonly string[]): Promise<Outcome> {
  const child = atEnd(startProgram(process.execPath, { args: [PROCREF, 'migrate', '--dir', dir, '--json', ...args] }))
  const { code } = await child.exited
  return { code, result: JSON.parse(child.stdout()), stderr: child.stderr() }
}

function hold(dir: string, label: string): Child {
  return atEnd(startProgram(process.execPath, { args: [PROCREF, 'slot', 'hold', '--dir', dir, '--label', label] }))
}

/** A directory that a service has used: slots, a server's state, data. */
async function usedDirectory(backend: SlotBackend = flock()): Promise<string> {
  const root = freshDir()
  const pool = await backend.open(join(root, 'slots'), { slots: 3 })
  await (await pool.claim()).release()
  await pool.close()
  mkdirSync(join(root, 'data', 'db'), { recursive: true, mode: 0o700 })
  writeFileSync(join(root, 'data', 'server.lock'), '', { mode: 0o600 })
  writeFileSync(join(root, 'data', 'db', 'rows'), 'ten years of work', { mode: 0o600 })
  writeFileSync(join(root, 'server.log'), 'a line\n', { mode: 0o600 })
  return root
}

/** Every file below `dir` with what is in it. */
function contents(dir: string): Readonly<Record<string, string>> {
  const files = readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort()
  return Object.fromEntries(
    files.flatMap((name) => {
      const path = join(dir, name)
      const stat = lstatSync(path)
      if (stat.isSymbolicLink()) return [[name, `-> ${readlinkSync(path)}`]]
      return stat.isFile() ? [[name, `${stat.mtimeMs} ${readFileSync(path, 'latin1')}`]] : []
    }),
  )
}

function journalOf(root: string): readonly string[] {
  const lines = readFileSync(join(root, 'journal.ndjson'), 'utf8').trim().split('\n')
  return lines.map((line) => JSON.parse(line).event)
}

describe.runIf(isNativeCodeHere())('procref migrate', () => {
  removeSetsAfterwards()

  test('moves the slots, notes it in the journal, and leaves data and state as they were', async () => {
    const root = await usedDirectory()
    const before = contents(join(root, 'data'))
    const { code, result } = await migrate(root, '--to', 'ofd-range')
    expect({ code, result }).toEqual({
      code: 0,
      result: {
        dir: root,
        state: 'moved',
        from: 'flock',
        to: 'ofd-range',
        slots: 3,
        folder: 'generation-2',
        unfinished: false,
        hindrances: [],
        remains: [],
      },
    })
    expect(contents(join(root, 'data'))).toEqual(before)
    expect(readFileSync(join(root, 'server.log'), 'utf8')).toBe('a line\n')
    expect(journalOf(root)).toEqual(['slots-moving', 'slots-moved'])
    expect((await migrate(root, '--to', 'ofd-range')).result).toMatchObject({
      state: 'already',
      folder: 'generation-2',
    })
    expect(journalOf(root)).toEqual(['slots-moving', 'slots-moved'])
    const holder = hold(root, 'the next')
    expect(JSON.parse(await holder.line())).toMatchObject({ backend: 'ofd-range' })
  })

  test('is refused while a slot is held, and names the holder; `--dry-run` says so and changes nothing', async () => {
    const root = await usedDirectory()
    const holder = hold(root, 'an editor')
    await holder.line()
    const before = contents(root)
    const dry = await migrate(root, '--to', 'sysv', '--dry-run')
    expect(dry).toMatchObject({ code: 0, result: { state: 'hindered', from: 'flock', to: 'sysv', slots: 3 } })
    expect(dry.result.hindrances).toEqual([expect.stringContaining(`pid ${holder.pid} (an editor`)])
    expect(contents(root)).toEqual(before)
    const refused = await migrate(root, '--to', 'sysv')
    expect(refused).toMatchObject({ code: 1, result: { error: { code: 'PROCREF_SLOTS_HELD' } } })
    expect(refused.stderr).toContain(`pid ${holder.pid} (an editor`)
    holder.end()
    await holder.exited
    expect((await migrate(root, '--to', 'sysv', '--dry-run')).result.state).toBe('would-move')
    expect((await migrate(root, '--to', 'sysv')).result.state).toBe('moved')
  })

  test.each([
    ['guardian.lock', 'PROCREF_GUARDIAN_RUNS'],
    ['data/server.lock', 'PROCREF_SERVER_LOCK_HELD'],
  ])('is refused while %s is held', async (name, code) => {
    const root = await usedDirectory()
    const lock = native().locks.tryLock(join(root, name)) ?? expect.unreachable()
    expect((await migrate(root, '--to', 'robust-mutex', '--dry-run')).result).toMatchObject({ state: 'hindered' })
    expect((await migrate(root, '--to', 'robust-mutex')).result).toMatchObject({ error: { code } })
    lock.release()
    expect((await migrate(root, '--to', 'robust-mutex')).result.state).toBe('moved')
  })

  test('killed at every step, run again it is done, and the journal says so once', async () => {
    const steps: string[] = []
    for (let step = 1; ; step++) {
      const root = await usedDirectory()
      const data = contents(join(root, 'data'))
      const child = atEnd(startProgram(process.execPath, { args: [KILLED, root, 'ofd-range', String(step)] }))
      const { signal } = await child.exited
      if (signal !== 'SIGKILL') break
      const at = child.stdout().trim().split('\n').at(-1) ?? ''
      steps.push(at)
      const { result } = await migrate(root, '--to', 'ofd-range')
      expect(result, `killed at ${at}`).toMatchObject({
        state: /moved|released/.test(at) ? 'already' : 'moved',
        to: 'ofd-range',
      })
      expect(journalOf(root).at(-1), `killed at ${at}`).toBe('slots-moved')
      expect(journalOf(root).filter((event) => event === 'slots-moved')).toHaveLength(1)
      expect(contents(join(root, 'data'))).toEqual(data)
      await using pool = await ofdRange().open(join(root, 'slots'))
      expect([await pool.tryClaim(), await pool.tryClaim(), await pool.tryClaim()]).not.toContain(undefined)
    }
    expect([...new Set(steps)]).toEqual([
      'locked',
      'noted',
      'opened',
      'claimed',
      'announced',
      'retiring',
      'retired',
      'moved',
      'released',
    ])
  })

  test('killed while it undoes what a killed one left, run again it is done', async () => {
    const root = await usedDirectory()
    const kill = async (step: number): Promise<string> => {
      const child = atEnd(startProgram(process.execPath, { args: [KILLED, root, 'ofd-range', String(step)] }))
      await child.exited
      return child.stdout()
    }
    expect(await kill(7)).toContain('retiring')
    const dry = (await migrate(root, '--to', 'ofd-range', '--dry-run')).result
    expect(dry).toMatchObject({ state: 'would-move', unfinished: true })
    expect(await kill(2)).toBe('locked\nundone\n')
    const { result } = await migrate(root, '--to', 'ofd-range')
    expect(result).toMatchObject({ state: 'moved', to: 'ofd-range', unfinished: false })
    expect(journalOf(root)).toEqual(['slots-moving', 'slots-move-undone', 'slots-moving', 'slots-moved'])
  })

  test('another migration that has begun is not passed over: its programs may hold slots', async () => {
    const root = await usedDirectory()
    const began = migrating({ from: flock(), to: ofdRange(), phase: 2 })
    await (await began.open(join(root, 'slots'))).close()
    const dry = (await migrate(root, '--to', 'sysv', '--dry-run')).result
    expect(dry).toMatchObject({
      state: 'hindered',
      hindrances: [expect.stringContaining('a migration to "ofd-range"')],
    })
    expect((await migrate(root, '--to', 'sysv')).result).toMatchObject({ error: { code: 'PROCREF_OTHER_MIGRATION' } })
    expect((await migrate(root, '--to', 'ofd-range')).result).toMatchObject({ state: 'moved' })
  })

  test('the command knows a phase of a migration by the name of its backend', async () => {
    const root = await usedDirectory()
    const { name } = migrating({ from: flock(), to: ofdRange(), phase: 2 })
    const args = [PROCREF, 'slot', 'hold', '--dir', root, '--backend', name]
    const holder = atEnd(startProgram(process.execPath, { args }))
    expect(JSON.parse(await holder.line())).toMatchObject({ backend: 'migrating:2:flock:ofd-range' })
    const refused = await migrate(root, '--to', 'ofd-range')
    expect(refused.stderr).toContain(`pid ${holder.pid}`)
  })

  test('a directory that nobody has used, and a backend that nobody knows', async () => {
    expect((await migrate(freshDir(), '--to', 'sysv')).result).toMatchObject({
      state: 'unused',
      from: null,
      slots: null,
    })
    const unknown = await migrate(freshDir(), '--to', 'semaphore')
    expect(unknown).toMatchObject({ code: 2, result: { error: { code: 'PROCREF_UNKNOWN_BACKEND' } } })
  })

  test('a dry run in a directory of the original program makes no pin, and sees its holders', async () => {
    const root = freshDir()
    const slots = join(root, 'slots')
    mkdirSync(slots, { mode: 0o700 })
    for (const slot of ['slot_00.lock', 'slot_07.lock']) writeFileSync(join(slots, slot), '4711\n', { mode: 0o600 })
    const lock = native().locks.tryLock(join(slots, 'slot_07.lock')) ?? expect.unreachable()
    const { result } = await migrate(root, '--to', 'robust-mutex', '--dry-run')
    expect(result).toMatchObject({ state: 'hindered', from: 'flock', slots: 100 })
    expect(readdirSync(slots)).toEqual(['slot_00.lock', 'slot_07.lock'])
    lock.release()
    expect((await migrate(root, '--to', 'robust-mutex')).result).toMatchObject({ state: 'moved', slots: 100 })
  })
})

// As the crate does it (src/platform/linux.rs): a set of two under ftok("/tmp", …), mode 0666, the lock set to 1, all else with SEM_UNDO.
const CRATE = `
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
class Op(ctypes.Structure):
    _fields_ = [('num', ctypes.c_ushort), ('op', ctypes.c_short), ('flags', ctypes.c_short)]
id = libc.semget(int(sys.argv[1]), 2, 0o1666)
assert id >= 0, ctypes.get_errno()
assert libc.semctl(id, 1, 16, ctypes.c_int(1)) == 0
op = Op(0, 1, 0x1000)
assert libc.semop(id, ctypes.byref(op), 1) == 0
print(id, flush=True)
sys.stdin.read()
`

const canPlayCrate =
  process.platform === 'linux' && spawnSync('python3', ['--version']).status === 0 && isNativeCodeHere()

describe.runIf(canPlayCrate)('what the crate procref 0.1.0 leaves', () => {
  const service = `procref-test-${process.pid}`

  function startCrate(): Child {
    onTestFinished(() => {
      for (const { id } of findSets(keyOf(service))) removeSet(id)
    })
    return atEnd(startProgram('python3', { args: ['-c', CRATE, String(keyOf(service))] }))
  }

  function writeRecord(root: string, pid: number): string {
    const path = join(root, `${service}.json`)
    writeFileSync(path, JSON.stringify({ pid, port: 8000, metadata: {}, started_at: '2026-01-13T10:00:00+00:00' }))
    return path
  }

  test('in use it is explained and left alone; once its last user was killed it is proven dead and removed', async () => {
    const root = await usedDirectory()
    const user = startCrate()
    const id = await user.line()
    const path = writeRecord(root, user.pid)
    const living = await migrate(root, '--to', 'sysv')
    expect(living.result.remains).toEqual([
      expect.objectContaining({ kind: 'semaphore-set', service, at: id, state: 'in-use', removed: false }),
      expect.objectContaining({ kind: 'service-record', service, at: path, state: 'unknown', removed: false }),
    ])
    expect(living.result.remains[0]?.explanation).toContain('counts 1 users')
    user.kill('SIGKILL')
    await user.exited

    const dry = await migrate(root, '--to', 'sysv', '--dry-run')
    expect(dry.result.remains.map(({ state, removed }) => ({ state, removed }))).toEqual([
      { state: 'dead', removed: false },
      { state: 'dead', removed: false },
    ])
    expect(findSets(keyOf(service))).toHaveLength(1)
    const dead = await migrate(root, '--to', 'sysv')
    expect(dead.result.remains.map(({ state, removed }) => ({ state, removed }))).toEqual([
      { state: 'dead', removed: true },
      { state: 'dead', removed: true },
    ])
    expect(findSets(keyOf(service))).toEqual([])
    expect(readdirSync(root)).not.toContain(`${service}.json`)
  })

  test('a set that was used by a process which still runs, and a record of a pid that is somebody’s, are left alone', async () => {
    const root = await usedDirectory()
    const user = startCrate()
    await user.line()
    user.kill('SIGKILL')
    await user.exited
    writeRecord(root, process.pid)
    const { result } = await migrate(root, '--to', 'sysv')
    expect(result.remains.map(({ state, removed }) => ({ state, removed }))).toEqual([
      { state: 'dead', removed: false },
      { state: 'unknown', removed: false },
    ])
    expect(findSets(keyOf(service))).toHaveLength(1)
  })

  test('a set under the same key that is not what the crate makes is left alone', async () => {
    const root = await usedDirectory()
    writeRecord(root, 2 ** 22 + 1)
    const other = `import ctypes, sys; print(ctypes.CDLL(None).semget(int(sys.argv[1]), 3, 0o1600))`
    const id = execFileSync('python3', ['-c', other, String(keyOf(service))], { encoding: 'utf8' }).trim()
    onTestFinished(() => void removeSet(Number(id)))
    const { result } = await migrate(root, '--to', 'sysv')
    expect(result.remains).toContainEqual(expect.objectContaining({ at: id, state: 'unknown', removed: false }))
    expect(findSets(keyOf(service))).toHaveLength(1)
  })
})
