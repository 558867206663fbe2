import { flock } from '@procref/flock'
import { change } from './break.mjs'

/** Another process that rebuilds it gets a backend with other directories. */
export function isRebuiltElsewhere(options = {}) {
  const right = flock()
  return change(right, {
    descriptor: { module: import.meta.url, factory: 'isRebuiltElsewhere', options: { elsewhere: true } },
    open: (dir, asked) => right.open(options.elsewhere ? `${dir}-elsewhere` : dir, asked),
  })
}
