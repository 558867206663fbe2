// Makes a backend that is wrong in one thing out of one that is right.
import { createRequire } from 'node:module'
import { fileSlots } from '@procref/core'
import { flock } from '@procref/flock'

/** fs-ext, as flock() has it installed: to lock wrongly on purpose. */
export const fsExt = createRequire(import.meta.resolve('@procref/flock'))('fs-ext')

/** The same object, but for `changes`. Not a copy: methods still run on `inner`, which may have private fields. */
export function change(inner, changes) {
  return new Proxy(inner, {
    get(target, key) {
      if (key in changes) return changes[key]
      const value = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** flock(), rebuilt in other processes with the same fault. `pool(inner, dir)` and `slot(inner)` say what is different in each. */
export function broken(url, factory, { backend = () => ({}), pool = () => ({}), slot = () => ({}) }) {
  const inner = flock()
  const breakSlot = (right) => right && change(right, slot(right))
  const breakPool = (right, dir) => {
    const claiming = change(right, {
      tryClaim: async () => breakSlot(await right.tryClaim()),
      claim: async (options) => breakSlot(await right.claim(options)),
    })
    return change(claiming, pool(claiming, dir))
  }
  const descriptor = { module: url, factory, options: {} }
  const whole = change(inner, {
    descriptor,
    open: async (dir, options) => breakPool(await inner.open(dir, options), dir),
  })
  return change(whole, backend(whole))
}

/** Slots on a locker that is flock()'s but for `changes(locker)`. */
export function brokenLocker(url, factory, changes) {
  const { guarantees, locks } = flock()
  return fileSlots({
    name: factory,
    protocol: 'flock',
    guarantees,
    locker: change(locks, changes(locks)),
    descriptor: { module: url, factory, options: {} },
  })
}
