import { broken } from './break.mjs'

/** What cannot be looked at is taken for free. */
export function takesErrorsForFree() {
  return broken(import.meta.url, 'takesErrorsForFree', {
    pool: (right) => ({ provenEmpty: () => right.provenEmpty().catch(() => true) }),
  })
}
