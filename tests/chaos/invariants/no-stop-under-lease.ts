import type { Client } from '../client.ts'
import { isSame, type Process } from '../processes.ts'
import type { Invariant } from './invariant.ts'

/**
 * No server ends while somebody has a lease on it, but those that a fault struck: the lease is one that was told to nobody's harm long enough
 * before, on this very server, and its process still has its slot file open.
 */
export function noStopUnderLease(): Invariant {
  let before: readonly { readonly server: Process; readonly leased: readonly Client[] }[] = []
  return {
    look({ servers, clients }, { excuses }) {
      const gone = before.filter(({ server }) => !servers.some((one) => isSame(one, server)))
      const wrong = gone.flatMap(({ server, leased }) => {
        if (excuses.covers(server)) return []
        const under = leased.filter((client) => isLeased(client, server) && client.hasSlot())
        return under.map(({ name }) => ({
          broken: 'a server stopped under a lease' as const,
          text: `the server ${server.pid} ended under the lease of ${name}`,
        }))
      })
      before = servers.map((server) => ({ server, leased: clients.filter((client) => isLeased(client, server)) }))
      return wrong
    },
  }
}

function isLeased(client: Client, server: Process): boolean {
  const on = client.lease?.server
  return client.isServed && on !== undefined && isSame(on, server)
}
