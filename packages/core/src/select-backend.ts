import { ProcrefError } from './errors.ts'
import { readProtocolPin } from './protocol-pin.ts'
import type { SlotBackend, SupportOptions } from './slot-backend.ts'

export interface RejectedBackend {
  readonly name: string
  readonly reason: string
}

export interface Selection {
  readonly backend: SlotBackend
  /** Why this one, in words for people. */
  readonly reason: string
  /** Those that would have been preferred, and why they were not taken. */
  readonly rejected: readonly RejectedBackend[]
}

/** No backend can be used for a directory. */
export class NoBackendError extends ProcrefError {
  readonly dir: string
  readonly rejected: readonly RejectedBackend[]
  constructor(dir: string, rejected: readonly RejectedBackend[]) {
    const reasons = rejected.map(({ name, reason }) => `\n- ${name}: ${reason}`).join('')
    super('PROCREF_NO_BACKEND', `No backend can be used for ${dir}:${reasons || ' none was offered.'}`)
    this.dir = dir
    this.rejected = rejected
  }
}

/**
 * The first of `candidates` that is supported for slots in `dir`. A directory that is already used with some protocol settles it:
 * only candidates that speak it come into question, because two protocols do not exclude each other.
 */
export async function selectBackend(
  candidates: readonly SlotBackend[],
  dir: string,
  options: SupportOptions = {},
): Promise<Selection> {
  const pinned = readProtocolPin(dir)?.protocol
  const rejected: RejectedBackend[] = []
  for (const backend of candidates) {
    const speaks = backend.protocol ?? backend.name
    if (pinned !== undefined && speaks !== pinned) {
      rejected.push({ name: backend.name, reason: `${dir} is already used with the lock protocol "${pinned}"` })
      continue
    }
    const support = await backend.support(dir, options)
    if (support.supported) return { backend, reason: reasonFor(backend, dir, pinned, rejected), rejected }
    rejected.push({ name: backend.name, reason: support.reason })
  }
  throw new NoBackendError(dir, rejected)
}

function reasonFor(
  backend: SlotBackend,
  dir: string,
  pinned: string | undefined,
  rejected: readonly RejectedBackend[],
): string {
  if (pinned !== undefined) return `${backend.name}: ${dir} is already used with the lock protocol "${pinned}"`
  if (rejected.length === 0) return `${backend.name}: the preferred backend, and it works here`
  return `${backend.name}: the best one that works here, after ${rejected.map(({ name }) => name).join(', ')}`
}
