// Wrong where PIDs are used again: the holder is whatever process has the number in the file.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { claimBy } from './folder-lock.mjs'

export const open = (dir, slots) => {
  if (slots !== 1) throw new Error('there is one permit')
  mkdirSync(dir, { recursive: true })
  const file = join(dir, 'holder')
  const tryClaim = () => {
    const holder = holderIn(file)
    if (holder !== undefined && isAlive(holder)) return undefined
    rmSync(file, { force: true })
    writeFileSync(file, String(process.pid), { flag: 'wx' })
    return { slot: 0, release: () => rmSync(file) }
  }
  return { tryClaim, claim: () => claimBy(tryClaim), close() {} }
}

function holderIn(file) {
  try {
    return Number(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
