import { broken } from './break.mjs'

/** The caller of an aborted claim is sent away; the claim goes on, and its slot is nobody's. */
export function leaksAbortedClaims() {
  return broken(import.meta.url, 'leaksAbortedClaims', {
    pool: (right) => ({
      async claim({ signal, ...options } = {}) {
        signal?.throwIfAborted()
        const claim = right.claim(options)
        claim.catch(() => {})
        const aborted = new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
        return await Promise.race([claim, aborted])
      },
    }),
  })
}
