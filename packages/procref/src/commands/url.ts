import { ProcrefError } from '@procref/core'
import { readRunningServer, type ServerRecord } from '@procref/lifecycle'
import { resolveBackend } from '../choose-backend.ts'
import { resolvePlace } from '../place.ts'
import { urlOf } from '../server-url.ts'
import type { LookOptions } from './status.ts'

/** No server is up, so there is nothing to tell about it. */
export class NotRunningError extends ProcrefError {
  static readonly code = 'PROCREF_NOT_RUNNING'
  constructor(dir: string) {
    super(NotRunningError.code, `No server is up in ${dir}. Start one: \`procref start\`, \`procref run\`, connect().`)
  }
}

/** Throws `NotRunningError`. The server may stop at any moment unless somebody holds a slot. */
export async function findServer(options: LookOptions): Promise<ServerRecord> {
  const { root, slots } = resolvePlace(options.dir)
  const record = readRunningServer(root, await resolveBackend(options.backend, slots))
  if (record === undefined) throw new NotRunningError(root)
  return record
}

export async function readUrl(options: LookOptions): Promise<{ readonly url: string }> {
  return { url: urlOf(await findServer(options)) }
}

export function viewUrl({ url }: { readonly url: string }): string {
  return url
}
