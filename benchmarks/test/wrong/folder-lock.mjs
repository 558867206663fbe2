// What the wrong pools have in common: a permit is a folder that one process can make.
import { mkdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const LOOK_MS = 20

/** The pool of `names.length` permits, one folder each; a claim that waits looks by a timer. */
export function folderLock(dir, names, release = (path) => rmdirSync(path)) {
  mkdirSync(dir, { recursive: true })
  const tryClaim = () => {
    const slot = names.findIndex((name) => make(join(dir, name)))
    if (slot !== -1) return { slot, release: () => release(join(dir, names[slot])) }
  }
  return { tryClaim, claim: () => claimBy(tryClaim), close() {} }
}

export async function claimBy(tryClaim) {
  for (;;) {
    const claim = tryClaim()
    if (claim !== undefined) return claim
    await delay(LOOK_MS)
  }
}

export function namesOf(slots) {
  return Array.from({ length: slots }, (_, slot) => `slot-${slot}`)
}

export function make(path) {
  try {
    mkdirSync(path)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}
