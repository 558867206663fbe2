import { randomBytes } from 'node:crypto'
import { constants, linkSync, lstatSync, renameSync, rmSync, type Stats, unlinkSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { Writable } from 'node:stream'
import { errnoOf, translateErrno } from '@procref/core'
import { TargetExistsError } from './errors.ts'

/** What to do with a file that is there already. */
export type IfExists = 'fail' | 'replace'

/** File systems without hard links say one of these. */
const NO_LINKS: ReadonlySet<string | undefined> = new Set(['EPERM', 'EOPNOTSUPP', 'ENOTSUP', 'ENOSYS'])

/**
 * A file that is written under another name beside its own, `FILE.<random>.part`, and gets its own when it is complete.
 *
 * Guarantee: mode 0600; at `path` there is what was there before or the whole new file, on the disk before it has this name. Nothing is
 * overwritten with `fail`, nothing but a regular file with `replace`, and no symbolic link is followed.
 * Unspecified: of a program that was killed the `.part` file stays. On a file system without hard links a file that somebody
 * else makes in the last moment is overwritten.
 * Caller: `finish()` or `discard()`.
 */
export class NewFile {
  readonly path: string
  readonly #part: string
  readonly #handle: FileHandle
  readonly #ifExists: IfExists

  private constructor(path: string, part: string, handle: FileHandle, ifExists: IfExists) {
    this.path = path
    this.#part = part
    this.#handle = handle
    this.#ifExists = ifExists
  }

  /** Throws `TargetExistsError`, and `FileAccessError` where nothing can be written. */
  static async open(path: string, ifExists: IfExists): Promise<NewFile> {
    const absolute = resolve(path)
    checkTarget(absolute, ifExists)
    const part = partOf(absolute)
    const handle = await openNewFile(part, absolute)
    return new NewFile(absolute, part, handle, ifExists)
  }

  /** For one pipeline, which does not close the file. */
  stream(): Writable {
    return writerOf(this.#handle)
  }

  /** Throws `TargetExistsError` when something has come to the path meanwhile. */
  async finish(): Promise<void> {
    try {
      await this.#handle.sync()
      await this.#handle.close()
      this.#name()
    } catch (error) {
      throw translateErrno(error, 'write', this.path)
    }
    await syncDirectory(dirname(this.path))
  }

  /** Removes what was written. Never rejects: it is called because something else failed. */
  async discard(): Promise<void> {
    try {
      await this.#handle.close()
    } catch {
      // Its last bytes do not matter any more.
    }
    discardPart(this.#part)
  }

  #name(): void {
    if (this.#ifExists === 'replace') this.#rename()
    else if (this.#link()) unlinkSync(this.#part)
    else this.#rename()
  }

  /** link() refuses to replace, rename() does not. False: not on this file system. */
  #link(): boolean {
    try {
      linkSync(this.#part, this.path)
      return true
    } catch (error) {
      const errno = errnoOf(error)
      if (errno === 'EEXIST') throw exists(this.path)
      if (NO_LINKS.has(errno)) return false
      throw error
    }
  }

  #rename(): void {
    checkTarget(this.path, this.#ifExists)
    renameSync(this.#part, this.path)
  }
}

/** Where something is written until it is complete. */
export function partOf(path: string): string {
  return `${path}.${randomBytes(8).toString('hex')}.part`
}

/** Removes what was written at `partOf(path)`. Never throws: it is called because something else failed, which is what people have to know. */
export function discardPart(part: string): void {
  try {
    rmSync(part, { recursive: true, force: true })
  } catch {
    // It stays, under the name that says what it is.
  }
}

/** Makes a file that is not there yet, 0600, through no link. `named` is what a failure is told of. */
export async function openNewFile(path: string, named: string = path): Promise<FileHandle> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW = 0 } = constants
  try {
    return await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  } catch (error) {
    throw translateErrno(error, 'write', named)
  }
}

/**
 * Writes at the end of what was written, and leaves the file open. A stream of Node's own, told not to close the file, keeps a claim on it:
 * `close()` then never settles.
 */
export function writerOf(handle: FileHandle): Writable {
  const writeWhole = async (chunk: Buffer): Promise<void> => {
    for (let written = 0; written < chunk.length; ) {
      written += (await handle.write(chunk, written, chunk.length - written)).bytesWritten
    }
  }
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => void writeWhole(chunk).then(() => done(), done),
  })
}

/** A new name survives a power cut only once the directory itself is written. */
export async function syncDirectory(dir: string): Promise<void> {
  // Windows cannot open a directory this way; NTFS logs its metadata.
  if (process.platform === 'win32') return
  const handle = await open(dir, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function checkTarget(path: string, ifExists: IfExists): void {
  const found = lookAt(path)
  if (found === undefined) return
  if (!found.isFile()) {
    throw new TargetExistsError(path, 'is there and is no regular file', 'It is never replaced: give another path.')
  }
  if (ifExists === 'fail') throw exists(path)
}

/** What is at the path itself; `undefined`: nothing. */
export function lookAt(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch (error) {
    throw translateErrno(error, 'look at', path)
  }
}

function exists(path: string): TargetExistsError {
  return new TargetExistsError(path, 'is there already', 'Give another path, or `--force` to replace it.')
}
