import { randomBytes } from 'node:crypto'
import { lstatSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { checkDirectory, type SlotBackend, translateErrno } from '@procref/core'
import { lookAtSlots } from './inspect-slots.ts'
import { StillInUseError } from './request-stop.ts'
import { whileServerless } from './serverless.ts'
import { syncDirectory } from './state/atomic-file.ts'
import { Journal } from './state/journal.ts'
import { type Layout, layout } from './state/layout.ts'

/** What is deleted: everything of a database, its password too. */
export interface DataSeen {
  readonly path: string
  readonly files: number
  readonly bytes: number
}

/** `data` on its way to nothing. */
const DELETED = /^data\.deleted-[0-9a-f]{16}$/

/** What `deleteData` would delete now; `undefined`: there is nothing. Changes nothing. */
export function lookAtData(dir: string): DataSeen | undefined {
  const paths = layout(dir)
  const folders = [...(isThere(paths.data) ? [paths.data] : []), ...halfDeleted(paths)]
  if (folders.length === 0) return undefined
  const sizes = folders.flatMap(sizesBelow)
  return { path: paths.data, files: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) }
}

export interface DeleteDataOptions {
  /** For tests: called between any two steps. */
  readonly onStep?: (step: 'locked' | 'noted' | 'moved-away' | 'deleted') => void
}

/**
 * Deletes the database of a service's directory with its password; the next user gets an empty one. The slots, the settings and the journal stay.
 *
 * Guarantee: it happens only while no server and no guardian runs, and nobody has a slot. There is never half a database: it is moved away in one step,
 * and whoever connects afterwards gets a new one; killed after that, the next call deletes what is left. No symbolic link is followed.
 * Not guaranteed: that the bytes cannot be read from the disk any more.
 * Throws `StillInUseError`, `GuardianRunsError`, `ServerLockHeldError`, `UnsafeDirectoryError`, and then nothing was changed.
 */
export async function deleteData(
  dir: string,
  backend: SlotBackend,
  { onStep = () => {} }: DeleteDataOptions = {},
): Promise<DataSeen | undefined> {
  const paths = layout(dir)
  const seen = lookAtData(dir)
  if (seen === undefined) return undefined
  const journal = new Journal(paths.journal)
  const evidence = { path: seen.path, files: seen.files, bytes: seen.bytes }
  await whileServerless(backend.locks, paths, 'its data cannot be deleted under it', async () => {
    onStep('locked')
    const { held } = await lookAtSlots(backend, paths.slots)
    if (held.length > 0) throw new StillInUseError(paths.root, held, 'End them first; then do it again.')
    if (!isThere(paths.data)) return
    checkDirectory(paths.data)
    journal.append({ event: 'data-deleting', reason: 'request', evidence })
    onStep('noted')
    moveAway(paths)
    onStep('moved-away')
  })
  // Nobody looks for it there: whoever connects meanwhile makes a new one.
  for (const folder of halfDeleted(paths)) rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  onStep('deleted')
  journal.append({ event: 'data-deleted', reason: 'request', evidence })
  return seen
}

function moveAway(paths: Layout): void {
  const path = join(paths.root, `data.deleted-${randomBytes(8).toString('hex')}`)
  try {
    renameSync(paths.data, path)
    syncDirectory(paths.root)
  } catch (error) {
    // EBUSY: a file system of its own is mounted there, which cannot be moved away in one step.
    throw translateErrno(error, 'move away', paths.data)
  }
}

/** What calls that were killed have left: databases that were deleted, and whose files are still there. */
export function halfDeleted(paths: Layout): readonly string[] {
  if (!isThere(paths.root)) return []
  return readdirSync(paths.root)
    .filter((name) => DELETED.test(name))
    .map((name) => join(paths.root, name))
}

function sizesBelow(folder: string): readonly number[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return sizesBelow(path)
    return [lstatSync(path, { throwIfNoEntry: false })?.size ?? 0]
  })
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}
