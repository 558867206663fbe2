import { errnoOf } from './errno.ts'

/**
 * Calls on a descriptor of the file at `path`. What the system says of a descriptor names no file (`EIO: i/o error, fsync`): here the error
 * gets the path, so that whoever reads it knows which one it was.
 */
export function onFile<T>(path: string, calls: () => T): T {
  try {
    return calls()
  } catch (error) {
    if (errnoOf(error) !== undefined && !('path' in (error as Error))) Object.assign(error as Error, { path })
    throw error
  }
}
