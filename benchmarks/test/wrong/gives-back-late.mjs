// Wrong: whoever comes after a dead holder is refused three times before it is believed to be dead.
import { appendFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { make } from './folder-lock.mjs'

const REFUSALS = 3

export const open = (dir) => {
  mkdirSync(dir, { recursive: true })
  const slot = join(dir, 'slot')
  const refusals = join(dir, 'refusals')
  const tryClaim = () => {
    if (!make(slot)) {
      appendFileSync(refusals, '.')
      if (readFileSync(refusals).length <= REFUSALS) return undefined
    }
    return { slot: 0, release: () => rmSync(slot, { recursive: true }) }
  }
  return { tryClaim, claim: tryClaim, close() {} }
}
