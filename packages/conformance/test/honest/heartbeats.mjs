// Slots on records that have to be kept fresh: nobody but time gives back the slots of a dead process. Weak, and honest about it.
import { randomUUID } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { fileSlots, UnsafeFileError } from '@procref/core'
import { flockProgram } from './flock-program.mjs'

const BEAT_MS = 500
/** Every death is waited for so long; a process that stands still for longer, as it may on a busy machine, is taken for dead. */
const STALE_MS = 8_000

const { locks: takeoverLocks } = flockProgram()

/** Who is alive, by the record beside the lock file. */
function beatOf(path, staleMs) {
  const beat = statSync(`${path}.beat`, { throwIfNoEntry: false })
  if (beat === undefined) return 'none'
  return Date.now() - beat.mtimeMs > staleMs ? 'stale' : 'fresh'
}

function ownerOf(path) {
  try {
    return readFileSync(`${path}.beat`, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Makes the record; false: somebody else was first. */
function takeBeat(path, id) {
  try {
    writeFileSync(`${path}.beat`, id, { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

/** Only one process at a time removes a stale record, and looks again before it does. */
function removeStale(path, staleMs) {
  const takeover = takeoverLocks.tryLock(`${path}.takeover`)
  if (takeover === undefined) return
  if (beatOf(path, staleMs) === 'stale') rmSync(`${path}.beat`, { force: true })
  takeover.release()
}

function openFile(path, flags) {
  const fd = openSync(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o600)
  if (fstatSync(fd).isFile()) return fd
  closeSync(fd)
  throw new UnsafeFileError(path, 'is not a plain file')
}

function isFileAt(path, fd) {
  const there = statSync(path, { throwIfNoEntry: false })
  const ours = fstatSync(fd)
  return there?.dev === ours.dev && there.ino === ours.ino
}

const lockerWith = (staleMs) => ({
  tryLock(path) {
    let fd = openFile(path, constants.O_RDWR | constants.O_CREAT)
    const id = randomUUID()
    if (beatOf(path, staleMs) === 'stale') removeStale(path, staleMs)
    if (!takeBeat(path, id)) {
      closeSync(fd)
      return undefined
    }
    const isOurs = () => ownerOf(path) === id
    const beat = setInterval(() => {
      if (isOurs()) utimesSync(`${path}.beat`, new Date(), new Date())
    }, BEAT_MS).unref()
    return {
      path,
      isCurrent: () => fd !== undefined && isOurs() && isFileAt(path, fd),
      release() {
        if (fd === undefined) return
        clearInterval(beat)
        if (isOurs()) rmSync(`${path}.beat`, { force: true })
        closeSync(fd)
        fd = undefined
      },
    }
  },

  watch(path) {
    let fd = openFile(path, constants.O_RDONLY)
    return {
      path,
      probe: () => (beatOf(path, staleMs) === 'fresh' ? 'held' : 'free'),
      isCurrent: () => fd !== undefined && isFileAt(path, fd),
      close() {
        if (fd !== undefined) closeSync(fd)
        fd = undefined
      },
    }
  },
})

export function heartbeats({ staleMs = STALE_MS } = {}) {
  return fileSlots({
    name: 'heartbeats',
    locker: lockerWith(staleMs),
    guarantees: {
      crashRelease: 'stale-timeout',
      maxRecoveryMs: staleMs + BEAT_MS,
      scope: 'host',
      inheritableByChild: false,
      interoperatesWithSeed: false,
      platforms: ['linux'],
    },
    descriptor: { module: import.meta.url, factory: 'heartbeats', options: { staleMs } },
  })
}
