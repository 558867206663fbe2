// Wrong for whoever may be stopped: a permit that was not renewed for a second is somebody else's, and its first holder is not told.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { claimBy } from './folder-lock.mjs'

const LEASE_MS = 1_000
const RENEW_MS = 100

export const open = (dir) => {
  mkdirSync(dir, { recursive: true })
  const file = join(dir, 'renewed')
  const renew = () => writeFileSync(file, String(Date.now()))
  const tryClaim = () => {
    if (Date.now() - renewedAt(file) < LEASE_MS) return undefined
    renew()
    const timer = setInterval(renew, RENEW_MS)
    const release = () => {
      clearInterval(timer)
      writeFileSync(file, '0')
    }
    return { slot: 0, release }
  }
  return { tryClaim, claim: () => claimBy(tryClaim), close() {} }
}

function renewedAt(file) {
  try {
    return Number(readFileSync(file, 'utf8'))
  } catch {
    return 0
  }
}
