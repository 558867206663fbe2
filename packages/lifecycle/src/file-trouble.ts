import { translateErrno } from '@procref/core'

/**
 * What the system says of one of the directory's files (`EMFILE`, `ENOENT` of a folder that was deleted), as an error of ours that names the
 * path and what to do; every other error as it is.
 */
export function fileTrouble(error: unknown, root: string): unknown {
  const path = (error as { readonly path?: unknown } | null | undefined)?.path
  return translateErrno(error, 'use', typeof path === 'string' ? path : root)
}
