import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { endDirectory, isAlive, makeTempDir, mountTmpfs, surrealBinary } from '@procref/testing'
import { FAULTS } from './faults/index.ts'
import type { Plan } from './plan.ts'

/** What a round lives on: made for its faults, and removed after it. */
export interface Surroundings extends AsyncDisposable {
  /** The root directory, which does not exist yet. */
  readonly dir: string
  /** What starts Node for the guardian, where libraries are to be loaded before it. */
  readonly guardianCommand?: readonly string[]
  /** The `surreal` executable, with the same libraries before it. */
  readonly surreal?: string
  /** For the clients. */
  readonly env: Readonly<Record<string, string>>
  readonly disk?: { fill(): void; free(): void }
  readonly slowDisk?: { delay(ms: number): void }
  readonly clock?: { step(seconds: number): void }
}

/** Room for a small database. */
const DISK_BYTES = 96 * 1024 * 1024

/** libfaketime, where Debian's package `faketime` puts it; undefined: it is not installed, and clocks are left alone. */
export function faketime(): string | undefined {
  const places = readdirSync('/usr/lib').map((name) => join('/usr/lib', name, 'faketime/libfaketime.so.1'))
  return places.find(existsSync)
}

export async function makeSurroundings({ kinds, driver }: Plan): Promise<Surroundings> {
  const needs = new Set(kinds.flatMap((kind) => FAULTS[kind].needs ?? []))
  const folder = makeTempDir()
  const disk = needs.has('small-disk') ? mountTmpfs({ bytes: DISK_BYTES }) : undefined
  const things = folder.path
  const place = disk?.path ?? things
  const dir = join(place, 'service')
  const preload: Record<string, string> = {}
  const slowDisk = needs.has('slow-disk') ? makeSlowDisk(things, preload) : undefined
  const library = needs.has('clock') ? faketime() : undefined
  const clock = library === undefined ? undefined : makeClock(things, library, preload)
  const isPreloaded = Object.keys(preload).length > 0
  const surreal = driver === 'binary' ? surrealBinary() : undefined
  return {
    dir,
    env: preload,
    ...(isPreloaded && { guardianCommand: ['/usr/bin/env', ...NOT_SHARED, ...assignments(preload), process.execPath] }),
    ...(surreal !== undefined && { surreal: isPreloaded ? wrapped(things, surreal, preload) : surreal }),
    ...(disk && { disk: makeDisk(place) }),
    ...(slowDisk && { slowDisk }),
    ...(clock && { clock }),
    async [Symbol.asyncDispose]() {
      await endDirectory(dir)
      await disk?.[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
      if (clock !== undefined) removeSharedMemory()
    },
  }
}

function makeDisk(place: string): NonNullable<Surroundings['disk']> {
  const ballast = join(place, 'ballast')
  return {
    fill() {
      const { bavail, bsize } = statfsSync(place)
      try {
        writeFileSync(ballast, Buffer.alloc(bavail * bsize))
      } catch (error) {
        // Somebody was faster with the last block: it is as full as can be.
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      }
    },
    free: () => rmSync(ballast, { force: true }),
  }
}

function makeSlowDisk(things: string, preload: Record<string, string>): NonNullable<Surroundings['slowDisk']> {
  const library = join(things, 'slow-disk.so')
  execFileSync('cc', [
    '-shared',
    '-fPIC',
    '-O1',
    '-o',
    library,
    resolve(import.meta.dirname, 'preload/slow-disk.c'),
    '-ldl',
  ])
  const delay = join(things, 'delay')
  const set = (ms: number): void => {
    const word = Buffer.alloc(4)
    word.writeUInt32LE(ms)
    // In place: it is mapped.
    writeFileSync(delay, word, { flag: 'r+' })
  }
  writeFileSync(delay, Buffer.alloc(4))
  addLibrary(preload, library)
  preload.SLOW_DISK = delay
  return { delay: set }
}

function makeClock(
  things: string,
  library: string,
  preload: Record<string, string>,
): NonNullable<Surroundings['clock']> {
  const offset = join(things, 'offset')
  const step = (seconds: number): void => writeFileSync(offset, `${seconds < 0 ? '' : '+'}${seconds}\n`)
  step(0)
  addLibrary(preload, library)
  // What the file says is read again each second. Time that only goes on (CLOCK_MONOTONIC) is not touched by steps of a real clock either.
  Object.assign(preload, { FAKETIME_TIMESTAMP_FILE: offset, FAKETIME_CACHE_DURATION: '1', DONT_FAKE_MONOTONIC: '1' })
  return { step }
}

function addLibrary(preload: Record<string, string>, library: string): void {
  preload.LD_PRELOAD = preload.LD_PRELOAD === undefined ? library : `${preload.LD_PRELOAD}:${library}`
}

const SHARED_MEMORY = '/dev/shm'

/**
 * What libfaketime left of processes that were killed: a later one that gets such a pid fails to start with it ("sem_open failed and recreation
 * attempts failed"). Of those that run nothing is touched, and nothing of other users.
 */
function removeSharedMemory(): void {
  for (const name of readdirSync(SHARED_MEMORY)) {
    const pid = /^(?:faketime_shm|sem\.faketime_sem)_(\d+)$/.exec(name)?.[1]
    if (pid === undefined || isAlive(Number(pid))) continue
    const path = join(SHARED_MEMORY, name)
    if (lstatSync(path, { throwIfNoEntry: false })?.uid === process.getuid?.()) rmSync(path, { force: true })
  }
}

/** By default libfaketime's processes share memory with the one that started them, and fail to start when that has just ended. */
const NOT_SHARED = ['-u', 'FAKETIME_SHARED']

function assignments(env: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`)
}

/** The guardian gives its server an environment of its own, so the libraries are named in what it starts. */
function wrapped(things: string, program: string, env: Readonly<Record<string, string>>): string {
  const wrapper = join(things, 'surreal')
  const words = assignments(env).map((word) => `'${word}'`)
  writeFileSync(wrapper, `#!/bin/sh\nexec env ${NOT_SHARED.join(' ')} ${words.join(' ')} '${program}' "$@"\n`, {
    mode: 0o755,
  })
  return wrapper
}
