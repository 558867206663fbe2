import { broken } from './break.mjs'

/** A claim that waits does not look again before its time is over. */
export function waitsWithoutLooking() {
  return broken(import.meta.url, 'waitsWithoutLooking', {
    pool: (right) => ({
      async claim({ signal, timeoutMs = 0 } = {}) {
        try {
          return await right.claim({ signal })
        } catch (error) {
          if (error.code !== 'PROCREF_SLOTS_EXHAUSTED') throw error
          await new Promise((resolve, reject) => {
            const timer = setTimeout(resolve, timeoutMs).unref()
            signal?.addEventListener('abort', () => reject(signal.reason, clearTimeout(timer)))
          })
          return await right.claim({ signal })
        }
      },
    }),
  })
}
