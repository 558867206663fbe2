import { broken, change } from './break.mjs'

/** release() frees whatever this process holds under the slot's number, be it a later claim. */
export function releasesByNumber() {
  const held = new Map()
  return broken(import.meta.url, 'releasesByNumber', {
    pool: (right) => {
      const track = (slot) => {
        if (slot === undefined) return undefined
        held.set(slot.id, slot)
        const release = async () => held.get(slot.id)?.release()
        return change(slot, { release, [Symbol.asyncDispose]: release })
      }
      return {
        tryClaim: async () => track(await right.tryClaim()),
        claim: async (options) => track(await right.claim(options)),
      }
    },
  })
}
