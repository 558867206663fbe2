import { isNewer } from '../version-order.ts'
import { ServerTooOldError } from './errors.ts'
import type { Sync } from './surreal-options.ts'

/** What a server is told in other words than other versions are, from a version on. */
interface Generation {
  readonly from: string
  /** The variable that says when a commit is synced, and its value; `undefined`: that cannot be had. */
  readonly syncVariable: string
  readonly syncValue: (sync: Sync) => string | undefined
}

/** Newest first. All else that a server is told (see surreal-binary.ts) has been the same since 2.6; `/ready` is asked for, not known. */
const GENERATIONS: readonly Generation[] = [
  // Before its first pre-release.
  { from: '3.0.0-0', syncVariable: 'SURREAL_DATASTORE_SYNC_DATA', syncValue: (sync) => sync },
  {
    from: '2.6.0',
    syncVariable: 'SURREAL_SYNC_DATA',
    // Without it 2.x does not sync at all.
    syncValue: (sync) => ({ every: 'true', never: 'false' })[sync as string],
  },
]

/** Throws `ServerTooOldError` unless this version can be started. One that has no order is taken for a new one. */
export function checkVersion(file: string, version: string): void {
  generationOf(file, version)
}

/** What its environment says of `sync`. Throws `ServerTooOldError`. */
export function syncEnvironment(file: string, version: string, sync: Sync): Readonly<Record<string, string>> {
  const { syncVariable, syncValue } = generationOf(file, version)
  const value = syncValue(sync)
  if (value === undefined) throw new ServerTooOldError({ file, version, needed: '3.0.0', what: `\`sync: '${sync}'\`` })
  return { [syncVariable]: value }
}

function generationOf(file: string, version: string): Generation {
  const generation = GENERATIONS.find(({ from }) => !isNewer(from, version))
  if (generation !== undefined) return generation
  throw new ServerTooOldError({ file, version, needed: GENERATIONS.at(-1)?.from ?? '', what: 'procref' })
}
