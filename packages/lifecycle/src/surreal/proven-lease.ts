import type { KeptLease } from '../client/kept-lease.ts'
import { StrangerOnPortError } from '../errors.ts'
import { proveListener } from '../identity/listener.ts'
import { standstill } from '../identity/standstill.ts'

/** Throws `StrangerOnPortError` unless who listens is the lease's server. `unknown` passes: there the system cannot be asked (SECURITY.md). */
export function proveServer(lease: KeptLease): void {
  const { host, port, server } = lease.record
  if (server === undefined) return
  const proof = proveListener({ host, port, server })
  if (proof === 'stranger' || proof === 'nobody') throw new StrangerOnPortError({ host, port, serverPid: server.pid })
}

/** A server that hangs is named with what the kernel says of it: nobody ends it, so somebody has to know. */
export function describeWait(lease: KeptLease, url: string): string {
  const { server, state } = lease.record
  const to = `a connection to ${url}`
  if (server === undefined) return to
  const stands = standstill(server)
  const silent = state === 'unresponsive' ? 'does not answer its guardian either' : undefined
  const what = [silent, stands].filter((part) => part !== undefined).join(', and ')
  return what === '' ? to : `${to}, whose server (pid ${server.pid}) ${what}`
}
