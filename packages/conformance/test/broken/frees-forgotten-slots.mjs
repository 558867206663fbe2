import { broken, change } from './break.mjs'

const registry = new FinalizationRegistry((slot) => slot.release())

/** A slot to which nobody refers any more is given back. */
export function freesForgottenSlots() {
  return broken(import.meta.url, 'freesForgottenSlots', {
    pool: (right) => {
      const watched = (slot) => {
        const wrapped = slot && change(slot, {})
        if (wrapped !== undefined) registry.register(wrapped, slot)
        return wrapped
      }
      return {
        tryClaim: async () => watched(await right.tryClaim()),
        claim: async (options) => watched(await right.claim(options)),
      }
    },
  })
}
