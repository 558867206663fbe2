import { heartbeats } from '../honest/heartbeats.mjs'
import { change } from './break.mjs'

/** Takes over the slot of a process that stands still, and says that a watchdog looks after dead ones. */
export function givesAwayStoppedHolders() {
  const right = heartbeats()
  return change(right, {
    guarantees: { ...right.guarantees, crashRelease: 'watchdog' },
    descriptor: { module: import.meta.url, factory: 'givesAwayStoppedHolders', options: {} },
  })
}
