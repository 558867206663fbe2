import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  atEnd,
  type DirectoryUser,
  eventually,
  freshDir,
  isAlive,
  lockUsers,
  startProgram,
  surrealBinary,
  within,
} from '@procref/testing'
import { describe, expect, test } from 'vitest'
import type { Program } from './program.ts'
import { freshGsc, indexedRows, serverRecord, start, stopsByItself } from './shared.ts'

const LIFECYCLE = fileURLToPath(new URL('../../../packages/lifecycle/src', import.meta.url))
const PROCREF = fileURLToPath(new URL('../../../packages/procref/bin/procref.js', import.meta.url))
const CORE = fileURLToPath(new URL('../../../packages/core/src', import.meta.url))

interface Counts {
  readonly added: number
  readonly unchanged: number
  readonly files: number
}

const undisturbedRows = new Map<string, unknown>()

/** The rows of a folder that one gcode indexed without being disturbed; found out once. */
async function undisturbed(folder: string): Promise<unknown> {
  if (!undisturbedRows.has(folder)) {
    const dir = freshGsc()
    const gcode = await start('gcode', dir)
    await gcode.call('index_folder', { folder })
    undisturbedRows.set(folder, await indexedRows(dir, folder))
  }
  return undisturbedRows.get(folder)
}

describe.each(['alone', 'together with the server'] as const)(
  'a gcode is killed in the middle of indexing, %s',
  (what) => {
    /** `undefined`: it was done when it was told how far it is, which says nothing of a kill in the middle. */
    async function nextAfterKill() {
      const dir = freshGsc()
      const [gcode, gspec] = await Promise.all([start('gcode', dir), start('gspec', dir)])
      await gspec.call('create_spec', { id: 'lease', title: 'A lease outlives its server', text: '' })
      await gspec.call('link_symbol', { spec: 'lease', symbol: 'KeptLease' })
      const { epoch, server } = serverRecord(dir)
      if (!(await killedWhileIndexing(gcode, LIFECYCLE))) return undefined
      if (what === 'together with the server') process.kill(server.pid, 'SIGKILL')

      expect(await gspec.call('show_spec', { id: 'lease' })).toMatchObject({ links: [{ symbol: 'KeptLease' }] })
      const next = await start('gcode', dir)
      const { folders } = await next.call<{ folders: { indexedAt?: string }[] }>('list_folders')
      expect(folders).toHaveLength(1)
      return folders[0]?.indexedAt === undefined ? { dir, epoch, gspec, next } : undefined
    }

    test('which takes nothing from the others, and the next one goes on from there', async () => {
      const { dir, epoch, gspec, next } = await inTheMiddle(nextAfterKill)
      await next.call<Counts>('index_folder', { folder: LIFECYCLE })
      expect(await gspec.call('show_spec', { id: 'lease' })).toMatchObject({
        links: [{ symbol: 'KeptLease', at: expect.stringContaining(LIFECYCLE) }],
      })
      expect(serverRecord(dir).epoch).toBe(what === 'alone' ? epoch : epoch + 1)
      expect(await indexedRows(dir, LIFECYCLE)).toEqual(await undisturbed(LIFECYCLE))
    })
  },
)

/** On a busy machine what was to be interrupted can be done before: then it is tried again, in a directory of its own. */
async function inTheMiddle<T>(interrupt: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 5; tries++) {
    const interrupted = await interrupt()
    if (interrupted !== undefined) return interrupted
  }
  throw new Error('it was done each time before it was interrupted')
}

/** False: it was done before. What it told is then read together with its answer, which the client takes first. */
async function killedWhileIndexing(gcode: Program, folder: string): Promise<boolean> {
  const killed = new Promise<boolean>((resolve) => {
    const onProgress = ({ progress }: { progress: number }): void => {
      if (progress === 0) return
      gcode.kill('SIGKILL')
      resolve(true)
    }
    gcode.call('index_folder', { folder }, { onProgress }).then(
      () => resolve(false),
      () => {},
    )
  })
  if (!(await within('the kill in the middle', killed))) return false
  await within('the end of gcode', gcode.ended)
  return true
}

test('when all are killed the server stops by itself, and nobody holds a lock of the directory', async () => {
  const dir = freshGsc()
  const programs = await Promise.all([start('gcode', dir), start('gspec', dir)])
  await Promise.all([programs[0].call('list_folders'), programs[1].call('list_specs')])
  const { guardian, server } = serverRecord(dir)
  for (const program of programs) program.kill('SIGKILL')
  await Promise.all(programs.map((program) => within('its end', program.ended)))
  await stopsByItself(dir)
  await eventually('guardian and server have left', () => !isAlive(guardian.pid) && !isAlive(server.pid))
  const left: readonly DirectoryUser[] = lockUsers(dir)
  expect(left).toEqual([])
})

describe.each(['SIGTERM', 'SIGINT', 'the end of standard input'] as const)('%s', (how) => {
  /** `undefined`: its work was done before. */
  async function endedWhileIndexing(): Promise<true | undefined> {
    const dir = freshGsc()
    const [gcode, gspec] = await Promise.all([start('gcode', dir), start('gspec', dir)])
    await gspec.call('list_specs')
    let told = false
    const onProgress = (): void => {
      if (told) return
      told = true
      if (how === 'the end of standard input') gcode.endInput()
      else gcode.kill(how)
    }
    const running = gcode.call('index_folder', { folder: LIFECYCLE }, { onProgress })
    const outcome = await running.then(
      () => 'done',
      (error: Error) => error.message,
    )
    if (!told) return undefined
    if (outcome !== 'done') expect(outcome).toMatch(/closed/i)
    await within('the end of gcode', gcode.ended)
    expect(gcode.stderr()).toMatch(/ends: (SIG|standard input ended)/)
    await eventually('its slot is free', () => !lockUsers(dir).some(({ pid }) => pid === gcode.pid))
    expect(await gspec.call('list_specs')).toEqual({ specs: [] })
    return outcome === 'done' ? undefined : true
  }

  test('ends a server, which gives its slot back at once, also while it indexes', async () => {
    await inTheMiddle(endedWhileIndexing)
  })
})

test('calls that run while the server is killed are answered by the next one, with nothing lost and nothing twice', async () => {
  /** `undefined`: the first of them was done before the kill. */
  async function whileIndexing() {
    const dir = freshGsc()
    const [gcode, gspec] = await Promise.all([start('gcode', dir), start('gspec', dir)])
    await gspec.call('list_specs')
    const before = serverRecord(dir)
    let killed = false
    const creating: Promise<unknown>[] = []
    const onProgress = ({ progress }: { progress: number }): void => {
      if (killed || progress === 0) return
      killed = true
      for (let i = 0; i < 20; i++) creating.push(gspec.call('create_spec', { id: `s${i}`, title: 't', text: 'x' }))
      // What carries the marker of procref; the test has read its pid from the directory it made itself.
      process.kill(before.server.pid, 'SIGKILL')
    }
    await gcode.call('index_folder', { folder: LIFECYCLE }, { onProgress })
    return killed ? { dir, before, creating, gspec } : undefined
  }

  const { dir, before, creating, gspec } = await inTheMiddle(whileIndexing)
  await Promise.all(creating)
  expect((await gspec.call<{ specs: object[] }>('list_specs')).specs).toHaveLength(20)
  expect(serverRecord(dir).epoch).toBeGreaterThan(before.epoch)
  expect(await indexedRows(dir, LIFECYCLE)).toEqual(await undisturbed(LIFECYCLE))
})

test('two gcode and two gspec at once on one folder leave what one of each would', async () => {
  const dir = freshGsc()
  const [one, two, first, second] = await Promise.all([
    start('gcode', dir),
    start('gcode', dir),
    start('gspec', dir),
    start('gspec', dir),
  ])
  const specs = Array.from({ length: 10 }, (_, i) => `s${i}`)
  const create = (gspec: Program, id: string): Promise<string> =>
    gspec.call('create_spec', { id, title: id, text: '' }).then(
      () => 'made',
      (error: Error) => error.message,
    )
  const [, , ...outcomes] = await Promise.all([
    one.call<Counts>('index_folder', { folder: CORE }),
    two.call<Counts>('index_folder', { folder: CORE }),
    ...specs.flatMap((id) => [create(first, id), create(second, id)]),
  ])
  expect(outcomes.filter((outcome) => outcome === 'made')).toHaveLength(10)
  expect(outcomes.filter((outcome) => /There is a specification s\d already/.test(outcome))).toHaveLength(10)
  expect(await indexedRows(dir, CORE)).toEqual(await undisturbed(CORE))
  await Promise.all(
    [first, second].map((gspec) => gspec.call('link_symbol', { spec: 's0', symbol: 'SlotPool.tryClaim' })),
  )
  expect((await first.call<{ links: object[] }>('show_spec', { id: 's0' })).links).toHaveLength(1)
})

/** As a person would, on a copy of a part of this repository. */
async function story(args: readonly string[]): Promise<void> {
  const dir = freshGsc()
  const folder = join(freshDir(), 'core')
  cpSync(CORE, folder, { recursive: true })
  const [gcode, gspec] = await Promise.all([start('gcode', dir, ...args), start('gspec', dir, ...args)])
  await gcode.call('index_folder', { folder })
  expect(await gcode.text('find_symbols', { query: 'SlotPo' })).toMatch(/interface slot-backend\.ts#SlotPool/)
  await gspec.call('create_spec', { id: 'claim', title: 'A claim never waits', text: 'tryClaim returns at once.' })
  await gspec.call('link_symbol', { spec: 'claim', symbol: 'slot-backend.ts#SlotPool.tryClaim' })
  expect(await gspec.text('touched_specs')).toBe('No specification is touched.')

  const file = join(folder, 'slot-backend.ts')
  writeFileSync(file, readFileSync(file, 'utf8').replace('tryClaim(): ', 'tryClaim(patiently?: boolean): '))
  await gcode.call('index_folder', { folder })
  gcode.kill('SIGKILL')
  await within('the end of gcode', gcode.ended)
  expect(await gspec.text('touched_specs')).toMatch(/tryClaim: stale, .*changed since it was reviewed/)
  await gspec.call('review_links', { spec: 'claim' })

  const next = await start('gcode', dir, ...args)
  expect(await next.text('definition', { symbol: 'SlotPool.tryClaim' })).toMatch(/specified by claim\)\n.*patiently/)
  expect(await gspec.text('touched_specs')).toBe('No specification is touched.')
}

test('a person indexes, links, changes, is told, kills one, and goes on', async () => {
  await story(['--driver', 'embedded'])
})

describe.runIf(surrealBinary() !== undefined)('with a surreal executable', () => {
  test('a person indexes, links, changes, is told, kills one, and goes on', async () => {
    await story(['--driver', 'binary'])
  })

  test('the guardian is killed and its server with it, and the next call is answered by the next one', async () => {
    const dir = freshGsc()
    const gspec = await start('gspec', dir, '--driver', 'binary')
    await gspec.call('create_spec', { id: 'guardian', title: 't', text: '' })
    const { epoch, guardian, server } = serverRecord(dir)
    expect(guardian.pid).not.toBe(server.pid)
    process.kill(guardian.pid, 'SIGKILL')
    expect(await gspec.call('list_specs')).toMatchObject({ specs: [{ id: 'guardian' }] })
    await eventually('the next epoch', () => serverRecord(dir).epoch === epoch + 1)
    expect(await gspec.call('list_specs')).toMatchObject({ specs: [{ id: 'guardian' }] })
  })
})

test('a forced stop is told to whoever calls, and the call after that has a server again', async () => {
  const dir = freshGsc()
  const gspec = await start('gspec', dir)
  await gspec.call('create_spec', { id: 'stop', title: 't', text: '' })
  const { epoch } = serverRecord(dir)
  const stop = atEnd(startProgram(process.execPath, { args: [PROCREF, 'stop', '--force', '--dir', dir] }))
  expect(await stop.exited).toEqual({ code: 0, signal: null })
  await eventually('a call is answered again', async () =>
    gspec.call('show_spec', { id: 'stop' }).then(
      () => true,
      (error: Error) => {
        expect(error.message).toMatch(/PROCREF|stop|connection/i)
        return false
      },
    ),
  )
  expect(serverRecord(dir).epoch).toBe(epoch + 1)
})
