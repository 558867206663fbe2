import { sockets } from '../honest/sockets.mjs'
import { change } from './break.mjs'

/** Sockets of one network namespace, said to exclude all processes of the host. */
export function claimsTheHost() {
  const right = sockets()
  return change(right, {
    guarantees: { ...right.guarantees, scope: 'host' },
    descriptor: { module: import.meta.url, factory: 'claimsTheHost', options: {} },
  })
}
