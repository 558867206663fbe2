import { broken } from './break.mjs'

/** Off by one. */
export function countsWrongly() {
  return broken(import.meta.url, 'countsWrongly', {
    pool: (right) => ({ count: async () => Math.max(0, (await right.count()) - 1) }),
  })
}
