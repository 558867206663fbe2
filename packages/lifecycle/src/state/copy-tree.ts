import { constants } from 'node:fs'
import { chmod, copyFile, link, mkdir, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf, ProcrefError, translateErrno } from '@procref/core'
import { syncDirectory } from './atomic-file.ts'

/** Something that is neither a file nor a folder cannot be copied as what it is. */
export class NotCopiedError extends ProcrefError {
  readonly path: string
  constructor(path: string) {
    super(
      'PROCREF_NOT_COPIED',
      `${path} is neither a regular file nor a folder, so it is not copied. Move it away first.`,
    )
    this.path = path
  }
}

export interface CopyTreeOptions {
  /** Names, from the folder on (`sstables/1.sst`), of files that get a second name instead of a second content, where that can be. Default: none. */
  readonly linked?: (name: string) => boolean
  /** Names that are left out. Default: none. */
  readonly without?: (name: string) => boolean
  readonly signal?: AbortSignal
}

/**
 * Copies the folder `from` to `to`, which is made. Where the file system can, the copies share the disk's blocks until one of them changes.
 *
 * Guarantee: everything is on the disk when it resolves; folders are 0700 and files 0600, but files that are `linked` have the mode of the one that they are.
 * Nothing of `from` is changed. Caller: nobody writes to `from` meanwhile; removes `to` when it rejects.
 * Throws `NotCopiedError`, `FileAccessError`, and the signal's reason.
 */
export async function copyTree(from: string, to: string, options: CopyTreeOptions = {}): Promise<void> {
  await copyFolder({ from, to, options }, '')
}

interface Copy {
  readonly from: string
  readonly to: string
  readonly options: CopyTreeOptions
}

async function copyFolder(copy: Copy, folder: string): Promise<void> {
  const { from, to, options } = copy
  const target = join(to, folder)
  await mkdir(target, { mode: 0o700 })
  for (const entry of await readdir(join(from, folder), { withFileTypes: true })) {
    options.signal?.throwIfAborted()
    const name = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (options.without?.(name)) continue
    if (entry.isDirectory()) await copyFolder(copy, name)
    else if (entry.isFile()) await copyOne(copy, name)
    else throw new NotCopiedError(join(from, name))
  }
  syncDirectory(target)
}

async function copyOne({ from, to, options }: Copy, name: string): Promise<void> {
  const [source, target] = [join(from, name), join(to, name)]
  try {
    if (options.linked?.(name) && (await linkOne(source, target))) return
    await copyFile(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
    // It has the mode of the source until here, in a folder that nobody else can enter.
    await chmod(target, 0o600)
    const handle = await open(target, 'r+')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw translateErrno(error, 'copy', source)
  }
}

/** Another file system (mounts of one and the same count as others); one without hard links; a file with too many names. */
const NO_LINK: ReadonlySet<string | undefined> = new Set([
  'EXDEV',
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EMLINK',
])

async function linkOne(source: string, target: string): Promise<boolean> {
  try {
    await link(source, target)
    return true
  } catch (error) {
    if (NO_LINK.has(errnoOf(error))) return false
    throw error
  }
}
