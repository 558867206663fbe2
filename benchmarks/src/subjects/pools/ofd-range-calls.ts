import type { OpenPool, SubjectClaim } from '../../subject.ts'

/** Of the native code of @procref/native, which it does not export. */
interface Calls {
  ofdOpen(dir: string, slots: number, record: Uint8Array, first: number): number
  ofdTryClaim(pool: number): number
  ofdRelease(pool: number, token: number): number
  ofdClose(pool: number): boolean
}

const SLOT_MASK = 0x1ffff

// What is measured is how long the search takes: a pool in JavaScript, opened a moment ago, adds more than that.
const module = new URL('./load-binding.js', import.meta.resolve('@procref/native')).href
const { loadBinding } = (await import(module)) as { loadBinding(backend: string): Calls }

/** The native calls of `ofdRange()` alone, in a directory that a pool has made. */
export const open: OpenPool = (dir, slots) => {
  const calls = loadBinding('ofdRange')
  const record = Buffer.alloc(512, ' ')
  const pool = calls.ofdOpen(dir, slots, record, Math.floor(Math.random() * slots))
  const tryClaim = (): SubjectClaim | undefined => {
    const token = calls.ofdTryClaim(pool)
    if (token < 0) return undefined
    return { slot: token & SLOT_MASK, release: () => void calls.ofdRelease(pool, token) }
  }
  return {
    tryClaim,
    claim() {
      const claim = tryClaim()
      if (claim === undefined) throw new Error('no slot was found without a look at all of them')
      return claim
    },
    close: () => void calls.ofdClose(pool),
  }
}
