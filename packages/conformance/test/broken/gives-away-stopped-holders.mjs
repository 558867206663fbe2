import { heartbeats } from '../honest/heartbeats.mjs'
import { change } from './break.mjs'

/** So short that the suite sees it: it does not look on for ever. */
const STALE_MS = 3_500

/** Takes over the slot of a process that stands still, and says that a watchdog looks after dead ones. */
export function givesAwayStoppedHolders() {
  const right = heartbeats({ staleMs: STALE_MS })
  return change(right, {
    guarantees: { ...right.guarantees, crashRelease: 'watchdog' },
    descriptor: { module: import.meta.url, factory: 'givesAwayStoppedHolders', options: {} },
  })
}
