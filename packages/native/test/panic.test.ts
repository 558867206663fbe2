import { expect, test } from 'vitest'
// Not part of the public interface.
import { loadBinding } from '../dist/load-binding.js'
import { describeNative } from './native-built.ts'

describeNative('a panic in the native code', () => {
  test('is the error of its call; the process and the next call go on', () => {
    const native = loadBinding('native')
    for (let n = 0; n < 3; n++) {
      expect(() => native.panicForTests()).toThrow(expect.objectContaining({ code: 'PANIC', message: 'on purpose' }))
    }
    expect(native.close(-1)).toBe(0)
  })

  test('cannot be brought about by arguments that are none: they are errors', () => {
    const native = loadBinding('native') as unknown as Record<string, (...args: unknown[]) => unknown>
    for (const name of ['tryTake', 'tryLock', 'openWatch', 'probe', 'isCurrent', 'close']) {
      for (const rubbish of [undefined, null, {}, 'x'.repeat(1 << 16), Number.NaN, -(2 ** 31), 2 ** 40, Symbol('s')]) {
        // An answer or an error, and no end of the process; which of them is each function's own affair.
        try {
          native[name]?.(rubbish, rubbish, rubbish)
        } catch (error) {
          expect(error, `${name}(${String(rubbish).slice(0, 20)})`).toBeInstanceOf(Error)
          expect(error).not.toMatchObject({ code: 'PANIC' })
        }
      }
    }
  })
})
