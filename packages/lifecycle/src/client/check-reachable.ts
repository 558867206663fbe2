import { identifySelf } from '@procref/core'
import { ForeignNamespaceError } from '../errors.ts'
import type { ServerRecord } from '../state/server-record.ts'

/**
 * Throws `ForeignNamespaceError` when the server listens in another network namespace: 127.0.0.1 is another machine there, and whoever
 * listens on its port here would be sent the password. Another pid namespace alone is no hindrance. Throws as `identifySelf`.
 */
export function checkReachable({ guardian }: ServerRecord, dir: string): void {
  if (guardian.netNamespace === identifySelf().netNamespace) return
  throw new ForeignNamespaceError({ dir, pid: guardian.pid })
}
