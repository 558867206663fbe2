// One subject of claim.mjs: `claim-subject.mjs NAME DIRECTORY ROUNDS` prints the mean nanoseconds of a claim and
// its release, and those of the processor (all threads).
import { closeSync, constants, fstatSync, mkdirSync, openSync, statSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const [, , name, dir, rounds] = process.argv

/** fs-ext and node:fs with every step of the protocol and nothing else: the floor of JavaScript without Rust. */
function bareFsExt() {
  const { flockSync } = createRequire(import.meta.resolve('@procref/flock'))('fs-ext')
  mkdirSync(dir, { recursive: true })
  const path = join(dir, 'slot_00.lock')
  const record = Buffer.alloc(512, ' ')
  const lock = (fd) => {
    // Refused although nobody else locks it: see floor/claim.c.
    for (let isLocked = false; !isLocked; ) {
      try {
        flockSync(fd, 'exnb')
        isLocked = true
      } catch (error) {
        if (error.code !== 'EAGAIN') throw error
      }
    }
  }
  const claimAndRelease = () => {
    const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
    lock(fd)
    const held = fstatSync(fd, { bigint: true })
    const there = statSync(path, { bigint: true })
    if (held.ino !== there.ino || held.dev !== there.dev) throw new Error(`${path} was replaced`)
    writeSync(fd, record, 0, record.length, 0)
    closeSync(fd)
  }
  return (times) => {
    for (let n = 0; n < times; n++) claimAndRelease()
  }
}

async function poolOf(backend) {
  const pool = await backend.open(dir)
  return async (times) => {
    for (let n = 0; n < times; n++) {
      const slot = await pool.claim()
      await slot.release()
    }
  }
}

const subjects = {
  'fs-ext': bareFsExt,
  native: async () => await poolOf((await import('@procref/native')).native()),
  hybrid: async () => await poolOf((await import('@procref/hybrid')).hybrid()),
  flock: async () => await poolOf((await import('@procref/flock')).flock()),
}

const measure = await subjects[name]()
await measure(Number(rounds) / 10)
const usedBefore = process.cpuUsage()
const began = process.hrtime.bigint()
await measure(Number(rounds))
const took = Number(process.hrtime.bigint() - began)
const used = process.cpuUsage(usedBefore)
console.log(took / Number(rounds), ((used.user + used.system) * 1000) / Number(rounds))
