// A complete backend: locks made by the program flock(1), which is part of every Linux distribution (util-linux).
import { spawnSync } from 'node:child_process'
import { closeSync, constants, fstatSync, openSync, statSync } from 'node:fs'
import { fileSlots, UnsafeFileError } from '@procref/core'

/** Has flock(1) lock our own open file; the lock stays with the file after the program has ended. False: somebody has it. */
function flock(fd, mode) {
  const { status, error } = spawnSync('flock', ['--nonblock', mode, '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] })
  if (error) throw error
  return status === 0
}

function open(path, flags) {
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

const locker = {
  tryLock(path) {
    let fd = open(path, constants.O_RDWR | constants.O_CREAT)
    const release = () => {
      if (fd !== undefined) closeSync(fd)
      fd = undefined
    }
    if (flock(fd, '--exclusive')) return { path, fd, isCurrent: () => fd !== undefined && isFileAt(path, fd), release }
    release()
    return undefined
  },

  watch(path) {
    let fd = open(path, constants.O_RDONLY)
    return {
      path,
      probe() {
        // A shared lock of an open file of its own: closing that gives it back.
        const own = openSync(`/proc/self/fd/${fd}`, constants.O_RDONLY)
        const free = flock(own, '--shared')
        closeSync(own)
        return free ? 'free' : 'held'
      },
      isCurrent: () => fd !== undefined && isFileAt(path, fd),
      close() {
        if (fd !== undefined) closeSync(fd)
        fd = undefined
      },
    }
  },
}

export function flockProgram() {
  return fileSlots({
    name: 'flock-program',
    protocol: 'flock',
    locker,
    guarantees: {
      crashRelease: 'kernel',
      maxRecoveryMs: 1000,
      scope: 'host',
      inheritableByChild: true,
      interoperatesWithSeed: true,
      platforms: ['linux'],
    },
    descriptor: { module: import.meta.url, factory: 'flockProgram', options: {} },
  })
}
