import { type DataSeen, deleteData, lookAtData } from '@procref/lifecycle'
import { resolveBackend } from '../choose-backend.ts'
import { type Ask, askOnTerminal } from '../cli/ask.ts'
import { UsageError } from '../cli/exit-code.ts'
import type { Colors } from '../cli/output.ts'
import { size } from '../cli/size.ts'
import { resolvePlace } from '../place.ts'
import type { LookOptions } from './status.ts'

export interface ResetOptions extends LookOptions {
  /** Do not ask. */
  readonly yes?: boolean
}

/** Stable: fields are only added. */
export interface Reset {
  readonly dir: string
  /** `empty`: there was nothing to delete; `declined`: whoever was asked said no. */
  readonly state: 'deleted' | 'empty' | 'declined'
  /** `null` when nothing was deleted. */
  readonly deleted: DataSeen | null
}

/**
 * Deletes the database of the directory, once somebody has said so.
 * Throws `StillInUseError`, `GuardianRunsError`, `ServerLockHeldError`, and then nothing was deleted; `UsageError` where nobody can be asked.
 */
export async function resetDirectory(options: ResetOptions, ask: Ask | undefined = askOnTerminal()): Promise<Reset> {
  const { root, slots } = resolvePlace(options.dir)
  const seen = lookAtData(root)
  if (seen === undefined) return { dir: root, state: 'empty', deleted: null }
  if (options.yes !== true) {
    if (ask === undefined) throw new UsageError(`${described(seen)} would be deleted. Say so with --yes.`)
    if (!(await ask(`Delete ${described(seen)}? Nothing brings it back.`)))
      return { dir: root, state: 'declined', deleted: null }
  }
  const deleted = await deleteData(root, await resolveBackend(options.backend, slots))
  return { dir: root, state: deleted === undefined ? 'empty' : 'deleted', deleted: deleted ?? null }
}

export function viewReset({ dir, state, deleted }: Reset, colors: Colors): string {
  if (deleted !== null) return `${colors.green('deleted')}  ${described(deleted)}; the next user gets an empty database`
  return state === 'declined' ? 'nothing was deleted' : `${dir} has no database: nothing to delete`
}

function described({ path, files, bytes }: DataSeen): string {
  return `the database in ${path} (${files} ${files === 1 ? 'file' : 'files'}, ${size(bytes)})`
}
