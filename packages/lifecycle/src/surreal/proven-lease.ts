import type { KeptLease } from '../client/kept-lease.ts'
import { StrangerOnPortError } from '../errors.ts'
import { proveListener } from '../identity/listener.ts'
import type { Address } from '../identity/proven-dial.ts'
import { standstill } from '../identity/standstill.ts'
import { describeFailure } from './describe-failure.ts'

/**
 * Throws `StrangerOnPortError` unless who listens at the address that is dialled is the lease's server. `unknown` passes: there the system
 * cannot be asked (SECURITY.md).
 */
export function proveServer(lease: KeptLease, dialled: Address): void {
  const { host, port, server } = lease.record
  if (server === undefined) return
  // The lease may have learnt of another port since the dial began: what is proven there says nothing of here.
  const isThere = host === dialled.host && port === dialled.port
  const proof = isThere ? proveListener({ host, port, server }) : 'stranger'
  if (proof === 'stranger' || proof === 'nobody') throw new StrangerOnPortError({ ...dialled, serverPid: server.pid })
}

/**
 * A server that hangs is named with what the kernel says of it: nobody ends it, so somebody has to know. `last`: what the last attempt
 * failed with, if there was one.
 */
export function describeWait(lease: KeptLease, url: string, last: unknown): string {
  const { server, state } = lease.record
  const to = `a connection to ${url}${last === undefined ? '' : ` (${describeFailure(last)})`}`
  if (server === undefined) return to
  const stands = standstill(server)
  const silent = state === 'unresponsive' ? 'does not answer its guardian either' : undefined
  const what = [silent, stands].filter((part) => part !== undefined).join(', and ')
  return what === '' ? to : `${to}, whose server (pid ${server.pid}) ${what}`
}
