import { errnoOf, FileAccessError, translateErrno } from './errno.ts'
import { ProcrefError } from './errors.ts'
import { importTrouble } from './import-trouble.ts'
import { isPassingTrouble } from './passing-trouble.ts'
import { readProtocolPin } from './protocol-pin.ts'
import { type SlotBackend, type Support, type SupportOptions, unsupported } from './slot-backend.ts'

/** A backend whose module is loaded only when it is looked at: it may be missing, or costly to load. */
export interface BackendCandidate {
  readonly name: string
  /** As `SlotBackend.protocol`. */
  readonly protocol?: string
  load(): Promise<SlotBackend>
}

export interface RejectedBackend {
  readonly name: string
  readonly reason: string
}

export interface Selection {
  readonly backend: SlotBackend
  /** Why this one, in words for people. */
  readonly reason: string
  /** Those that would have been preferred and do not work here: with one of them, this is a fallback. Tell the user. */
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
 *
 * Errors: `NoBackendError` with every reason; what `readProtocolPin` throws for a directory that cannot be read; `FileAccessError` when the
 * system did not get to it (no descriptor left, `PROCREF_TOO_MANY_OPEN_FILES`): a new directory would have the protocol of the next one for good.
 * Unspecified: whether `open()` succeeds a moment later.
 */
export async function selectBackend(
  candidates: readonly (SlotBackend | BackendCandidate)[],
  dir: string,
  options: SupportOptions = {},
): Promise<Selection> {
  const pinned = readProtocolPin(dir)?.protocol
  const speakers = candidates.filter((candidate) => pinned === undefined || protocolOf(candidate) === pinned)
  const rejected: RejectedBackend[] = []
  for (const candidate of speakers) {
    const tried = await tryCandidate(candidate, dir, options)
    if ('backend' in tried)
      return { backend: tried.backend, reason: reasonFor(candidate, dir, pinned, rejected), rejected }
    rejected.push({ name: candidate.name, reason: tried.reason })
  }
  const silent = candidates.filter((candidate) => !speakers.includes(candidate))
  const reason = `${dir} is already used with the lock protocol "${pinned}"`
  throw new NoBackendError(dir, [...rejected, ...silent.map(({ name }) => ({ name, reason }))])
}

function protocolOf(candidate: SlotBackend | BackendCandidate): string {
  return candidate.protocol ?? candidate.name
}

async function tryCandidate(
  candidate: SlotBackend | BackendCandidate,
  dir: string,
  options: SupportOptions,
): Promise<{ readonly backend: SlotBackend } | { readonly reason: string }> {
  let backend: SlotBackend
  try {
    backend = 'load' in candidate ? await candidate.load() : candidate
  } catch (error) {
    const trouble = importTrouble(error, candidate.name)
    if (isUndecided(trouble)) throw trouble
    // A module that is not installed, in most cases.
    return { reason: unsupported(error).reason }
  }
  let support: Support
  try {
    support = await backend.support(dir, options)
  } catch (error) {
    support = unsupported(error)
  }
  if (support.supported) return { backend }
  if (isUndecided(support.cause)) throw translateErrno(support.cause, `try the backend ${candidate.name} for`, dir)
  return { reason: support.reason }
}

/** ENOLCK may be for good: a file system that keeps no locks (NFS without lockd) says it, too, and another backend works there. */
function isUndecided(cause: unknown): boolean {
  const errno = cause instanceof FileAccessError ? cause.errno : errnoOf(cause)
  return errno !== 'ENOLCK' && isPassingTrouble(cause)
}

function reasonFor(
  { name }: SlotBackend | BackendCandidate,
  dir: string,
  pinned: string | undefined,
  rejected: readonly RejectedBackend[],
): string {
  const used = pinned === undefined ? '' : `${dir} is already used with the lock protocol "${pinned}"`
  if (rejected.length > 0) {
    const others = rejected.map((other) => other.name).join(', ')
    return `${name}: ${used === '' ? '' : `${used}, and this is `}the best one that works here, after ${others}`
  }
  return `${name}: ${used || 'the preferred backend, and it works here'}`
}
