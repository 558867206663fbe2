import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

/** Enough for any record of a holder. */
const MOST_BYTES = 64 * 1_024

/** Where the C library has POSIX semaphores and shared memory. */
const SHARED_MEMORY = '/dev/shm/'

/**
 * The files that a pool consists of, as somebody sees them who only looks: all below its folder, and the shared memory that this process of
 * it has mapped. Empty where its state is in a server or in the kernel alone.
 */
export function poolFiles(dir: string, pid: number): readonly string[] {
  return [...filesBelow(dir), ...mappedSharedMemory(pid)]
}

/** Does the file's name or its text have this number, as a word of its own? */
export function mentions(file: string, pid: number): boolean {
  const word = new RegExp(`(?<![0-9])${pid}(?![0-9])`)
  return word.test(file.slice(file.lastIndexOf('/') + 1)) || word.test(textOf(file))
}

/** The files that this process has open, by their paths. Linux; elsewhere empty. */
export function openFilesOf(pid: number): ReadonlySet<string> {
  const dir = `/proc/${pid}/fd`
  if (!existsSync(dir)) return new Set()
  return new Set(readdirSync(dir).flatMap((fd) => linkOf(join(dir, fd))))
}

function filesBelow(dir: string): readonly string[] {
  if (!existsSync(dir)) return []
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name)
    return entry.isDirectory() ? [...filesBelow(path), path] : [path]
  })
}

function mappedSharedMemory(pid: number): readonly string[] {
  const maps = `/proc/${pid}/maps`
  if (!existsSync(maps)) return []
  const paths = readFileSync(maps, 'utf8')
    .split('\n')
    .map((line) => line.slice(Math.max(0, line.indexOf('/'))))
    .filter((path) => path.startsWith(SHARED_MEMORY) && existsSync(path))
  return [...new Set(paths)]
}

function textOf(file: string): string {
  // Sockets and fifos have no text, and reading a fifo would wait.
  if (!existsSync(file) || !lstatSync(file).isFile()) return ''
  return readFileSync(file).subarray(0, MOST_BYTES).toString('latin1')
}

function linkOf(path: string): readonly string[] {
  try {
    return [readlinkSync(path)]
  } catch {
    // It was closed meanwhile.
    return []
  }
}
