import { broken } from './break.mjs'

/** A full pool hands out a slot that somebody else holds. */
export function letsTwoIn() {
  const phantom = {
    id: 0,
    lost: new AbortController().signal,
    verify: async () => {},
    release: async () => {},
    [Symbol.asyncDispose]: async () => {},
  }
  return broken(import.meta.url, 'letsTwoIn', {
    pool: (right) => ({ tryClaim: async () => (await right.tryClaim()) ?? phantom }),
  })
}
