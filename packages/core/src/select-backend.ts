import { ProcrefError } from './errors.ts'
import type { SlotBackend, SupportOptions } from './slot-backend.ts'

export interface Selection {
  readonly backend: SlotBackend
  /** Why this one, in words. */
  readonly reason: string
  readonly rejected: readonly RejectedBackend[]
}

export interface RejectedBackend {
  readonly name: string
  readonly reason: string
}

/** No backend of the list can be used in this directory. */
export class NoBackendError extends ProcrefError {
  readonly dir: string
  readonly rejected: readonly RejectedBackend[]
  constructor(dir: string, rejected: readonly RejectedBackend[]) {
    const reasons = rejected.map(({ name, reason }) => `\n  ${name}: ${reason}`).join('')
    super('PROCREF_NO_BACKEND', `No backend can be used in ${dir}:${reasons || ' none was offered'}`)
    this.dir = dir
    this.rejected = rejected
  }
}

/**
 * The first of `candidates` (best first) that can be used in `dir`. A directory that is pinned to a protocol supports only
 * backends which speak it, so the pin wins. Throws `NoBackendError` with the reason of each.
 */
export async function selectBackend(
  candidates: readonly SlotBackend[],
  dir: string,
  options?: SupportOptions,
): Promise<Selection> {
  const rejected: RejectedBackend[] = []
  for (const backend of candidates) {
    const support = await backend.support(dir, options)
    if (!support.supported) {
      rejected.push({ name: backend.name, reason: support.reason })
      continue
    }
    const reason =
      rejected.length === 0 ? 'the preferred backend works here' : 'the backends before it cannot be used here'
    return { backend, reason, rejected }
  }
  throw new NoBackendError(dir, rejected)
}
