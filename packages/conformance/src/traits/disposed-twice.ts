import assert from 'node:assert/strict'
import type { Claim } from '../behaviour.ts'
import type { Context } from '../context.ts'

/** `what` can be ended any number of times, one after the other and all at once: a second call joins the first. */
export function disposedTwice(what: string, make: (context: Context) => Promise<() => unknown>): Claim {
  return {
    title: `${what} twice, or twice at once, is as good as once`,
    async check(context) {
      const oneByOne = await make(context)
      assert.equal(await oneByOne(), undefined)
      assert.equal(await oneByOne(), undefined)
      const atOnce = await make(context)
      assert.deepEqual(await Promise.all([atOnce(), atOnce(), atOnce()]), [undefined, undefined, undefined])
    },
  }
}
