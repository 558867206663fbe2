import type { SlotBackend } from '@procref/core'
import { UnknownBackendError } from './errors.ts'

interface KnownBackend {
  /** `backend.name` of what `load` makes. */
  readonly name: string
  load(): Promise<SlotBackend>
}

/** Every backend that the command and `connect()` know by name, the best first. */
const KNOWN: readonly KnownBackend[] = [{ name: 'flock', load: async () => (await import('@procref/flock')).flock() }]

/**
 * The backend called `name`, else the one that `$PROCREF_BACKEND` names, else the best that this version knows.
 * Throws `UnknownBackendError` for a name that this version does not know.
 */
export async function resolveBackend(name?: string, env: NodeJS.ProcessEnv = process.env): Promise<SlotBackend> {
  const asked = name ?? (env.PROCREF_BACKEND || undefined)
  const known = asked === undefined ? KNOWN[0] : KNOWN.find((backend) => backend.name === asked)
  if (known === undefined) {
    throw new UnknownBackendError(
      asked ?? '',
      KNOWN.map((backend) => backend.name),
    )
  }
  return known.load()
}
