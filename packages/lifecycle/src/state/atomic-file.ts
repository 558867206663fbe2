import {
  closeSync,
  constants,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { onFile } from '@procref/core'

/** `server.json.<nonce>.tmp`; a spare one is `server.json.<nonce>.spare0` */
const TEMPORARY = /^[a-z]+\.json\.([0-9a-f]{32})\.(?:tmp|taken|spare\d)$/

/**
 * Puts `text` at `path` in one step: whoever reads sees the old content or the new, never a mixture.
 *
 * Guarantee: mode 0600; follows no symbolic link; when it throws the old content is intact and no temporary file is left,
 * unless the process died (then `removeTemporaries` of a later guardian does it).
 * Unspecified: which content is there after a power cut, see `replaceFileDurably`.
 * Caller: `nonce` is the caller's own, so that two writers never share a temporary file.
 */
export function replaceFile(path: string, text: string, nonce: string): void {
  const temporary = writeTemporary(path, text, nonce, writeWhole)
  moveIntoPlace(temporary, path)
}

/** As `replaceFile`; and once it returned the new content survives a power cut. */
export function replaceFileDurably(path: string, text: string, nonce: string): void {
  const temporary = writeTemporary(path, text, nonce, writeAndSync)
  moveIntoPlace(temporary, path)
  syncDirectory(dirname(path))
}

/** As `replaceFileDurably`, for a file that must be made only once: false, and nothing changed, when `path` exists. */
export function createFileDurably(path: string, text: string, nonce: string): boolean {
  const temporary = writeTemporary(path, text, nonce, writeAndSync)
  try {
    // link() refuses to replace, rename() does not: of two creators the first one's content stays.
    linkSync(temporary, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    unlinkSync(temporary)
  }
  syncDirectory(dirname(path))
  return true
}

/** Removes what writers that died left in `dir`; those with the nonce `keep` stay. Caller: only the guardian. */
export function removeTemporaries(dir: string, keep: string): void {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const nonce = nonceOfTemporary(entry.name)
    // A directory is none of ours, and could not be unlinked.
    if (nonce !== undefined && nonce !== keep && !entry.isDirectory()) removeFile(join(dir, entry.name))
  }
}

/** Whose temporary or spare file this is; `undefined`: it is none. */
export function nonceOfTemporary(name: string): string | undefined {
  return TEMPORARY.exec(name)?.[1]
}

/** Makes the file anew, never through a link and never one that somebody else opened before. */
export function openNew(path: string): number {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0)
  try {
    return openSync(path, flags, 0o600)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    // The name carries our nonce: it is ours, from a write that failed and could not be cleaned up then.
    unlinkSync(path)
    return openSync(path, flags, 0o600)
  }
}

/** Writes all of `bytes` at the start of the file. */
export function writeWhole(fd: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(fd, bytes, written, bytes.length - written, written)
  }
}

/** Renames; if that fails the temporary file is removed and the first error thrown. */
export function moveIntoPlace(temporary: string, path: string): void {
  try {
    renameSync(temporary, path)
  } catch (error) {
    removeAfter(error, temporary)
  }
}

/** Unlinks; a file that is not there is as good as removed. */
export function removeFile(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

function writeTemporary(
  path: string,
  text: string,
  nonce: string,
  write: (fd: number, bytes: Uint8Array) => void,
): string {
  const temporary = `${path}.${nonce}.tmp`
  const fd = openNew(temporary)
  try {
    onFile(temporary, () => write(fd, Buffer.from(text)))
  } catch (error) {
    closeSync(fd)
    removeAfter(error, temporary)
  }
  closeSync(fd)
  return temporary
}

function writeAndSync(fd: number, bytes: Uint8Array): void {
  writeWhole(fd, bytes)
  fsyncSync(fd)
}

/** Rethrows `error` after an attempt to clean up, whose own failure would hide it. */
function removeAfter(error: unknown, path: string): never {
  try {
    unlinkSync(path)
  } catch {
    // The next write replaces it, the next guardian removes it.
  }
  throw error
}

/** After it returned, what was made, renamed or removed in `dir` survives a power cut: the directory itself is written. */
export function syncDirectory(dir: string): void {
  // Windows cannot open a directory this way; NTFS logs its metadata.
  if (process.platform === 'win32') return
  const fd = openSync(dir, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    onFile(dir, () => fsyncSync(fd))
  } finally {
    closeSync(fd)
  }
}
