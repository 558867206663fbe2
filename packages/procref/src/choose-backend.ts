import {
  errnoOf,
  isPassingTrouble,
  type MigrationPhase,
  migrating,
  NoBackendError,
  ProcrefError,
  type RejectedBackend,
  readProtocolPin,
  rebuildFromDescriptor,
  type Selection,
  type SlotBackend,
  selectBackend,
} from '@procref/core'
import type { ServerRecord } from '@procref/lifecycle'
import { KNOWN_BACKENDS, type KnownBackend } from './backends.ts'
import { UnknownBackendError } from './errors.ts'

export interface BackendQuestion {
  /** The backend that is wanted. Left out: the one that `$PROCREF_BACKEND` names, else the best. */
  readonly name?: string | undefined
  /** Where the slots are, or will be. */
  readonly slotsDir: string
  readonly allowUnsafeFilesystem?: boolean | undefined
  readonly env?: NodeJS.ProcessEnv
}

/**
 * The backend that was asked for; else the best that works for the slots in `slotsDir`, by what is installed, the platform and the file
 * system, among those that speak the protocol which the directory is used with already.
 *
 * Guarantee: where none works, one is returned all the same, whose `open()` throws the error that says why; `rejected` names them all.
 * Throws `UnknownBackendError` for a name that this version does not know, and as `selectBackend` when the system did not get to it.
 */
export async function chooseBackend(question: BackendQuestion): Promise<Selection> {
  const { name, slotsDir, env = process.env, allowUnsafeFilesystem = false } = question
  if (name !== undefined) return await named(name, 'it was asked for')
  if (env.PROCREF_BACKEND) return await named(env.PROCREF_BACKEND, '$PROCREF_BACKEND asks for it')
  const candidates = candidatesFor(slotsDir)
  try {
    return await selectBackend(candidates, slotsDir, { allowUnsafeFilesystem })
  } catch (error) {
    // Nothing was found out, and the one that needs the least may need another protocol.
    if (isPassingTrouble(error)) throw error
    // A pin that cannot be read, too: what is wrong with a directory is said by whoever opens it, and commands that only look go on.
    if (!(error instanceof ProcrefError) && errnoOf(error) === undefined) throw error
    return await lastResort(candidates, error instanceof NoBackendError ? error.rejected : [])
  }
}

/** As `chooseBackend`, without the reason. */
export async function resolveBackend(
  name: string | undefined,
  slotsDir: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<SlotBackend> {
  return (await chooseBackend({ name, slotsDir, env })).backend
}

/** Throws `UnknownBackendError`. A phase of a migration has the name of its backend: `migrating:2:flock:ofd-range`. */
export async function backendByName(name: string): Promise<SlotBackend> {
  const known = KNOWN_BACKENDS.find((backend) => backend.name === name)
  if (known !== undefined) return await known.load()
  const [, phase, from, to] = /^migrating:([123]):([a-z-]+):([a-z-]+)$/.exec(name) ?? []
  if (phase !== undefined && from !== undefined && to !== undefined) {
    const parts = { from: await backendByName(from), to: await backendByName(to) }
    return migrating({ ...parts, phase: Number(phase) as MigrationPhase })
  }
  throw new UnknownBackendError(
    name,
    KNOWN_BACKENDS.map((backend) => backend.name),
  )
}

/**
 * The backend that a guardian was made with: this package's own code, with what was recorded of it, or else what was recorded.
 * Throws `DescriptorError` when that cannot be loaded.
 */
export async function backendAsRecorded({ name, descriptor }: ServerRecord['backend']): Promise<SlotBackend> {
  try {
    const own = await backendByName(name)
    if (own.descriptor.factory === descriptor.factory) return own
  } catch (error) {
    if (!(error instanceof UnknownBackendError)) throw error
  }
  return await rebuildFromDescriptor<SlotBackend>(descriptor)
}

/**
 * The best backend that works here and speaks this protocol, whatever state the slots in `slotsDir` are in. `root` is the directory above, in
 * which it is tried. Throws `NoBackendError`.
 */
export async function backendForProtocol(protocol: string, slotsDir: string, root: string): Promise<SlotBackend> {
  const speakers = KNOWN_BACKENDS.filter((backend) => backend.protocol === protocol)
  if (speakers.length > 0) return (await selectBackend(speakers, root)).backend
  const reason = `${slotsDir} is used with the lock protocol "${protocol}"`
  throw new NoBackendError(
    slotsDir,
    KNOWN_BACKENDS.map(({ name }) => ({ name, reason })),
  )
}

async function named(name: string, because: string): Promise<Selection> {
  return { backend: await backendByName(name), reason: `${name}: ${because}`, rejected: [] }
}

/** Those that speak the protocol of the directory; in a new one, and where nobody speaks it, the defaults. */
function candidatesFor(slotsDir: string): readonly KnownBackend[] {
  const protocol = protocolOf(slotsDir)
  const speakers = KNOWN_BACKENDS.filter((backend) => backend.protocol === protocol)
  return speakers.length > 0 ? speakers : KNOWN_BACKENDS.filter((backend) => backend.byDefault)
}

function protocolOf(slotsDir: string): string | undefined {
  try {
    return readProtocolPin(slotsDir)?.protocol
  } catch (error) {
    // The defaults may speak another protocol.
    if (isPassingTrouble(error)) throw error
    if (error instanceof ProcrefError || errnoOf(error) !== undefined) return undefined
    throw error
  }
}

/** The last one, because it needs the least: what its `open()` says is the directory's fault more likely than a missing part's. */
async function lastResort(
  candidates: readonly KnownBackend[],
  rejected: readonly RejectedBackend[],
): Promise<Selection> {
  const last = candidates.at(-1)
  if (last === undefined) throw new Error('no backend is known')
  return { backend: await last.load(), reason: `${last.name}: none works here, and it needs the least`, rejected }
}
