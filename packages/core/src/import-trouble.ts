import { FileAccessError } from './errno.ts'
import { loadTrouble } from './load-trouble.ts'

/** Tried with Node 20: `import()` rejects with the same error for ever, also when there are descriptors again. */
export const START_ANEW = 'Then start this program anew: Node loads no module again that it could not load once.'

/**
 * The error to throw instead of that of an `import()` of `what`, where the system did not get to it (see `loadTrouble`): it says that only
 * another process can load it. Every other error as it is: a package that is not there, what a module itself throws.
 */
export function importTrouble(error: unknown, what: string): unknown {
  // Of what the module has loaded by require(), which tries again.
  if (error instanceof FileAccessError) return error
  const { path = what } = (error ?? {}) as { readonly path?: string }
  const trouble = loadTrouble(error, path)
  if (trouble === undefined) return error
  return new FileAccessError(trouble.code, `${trouble.message} ${START_ANEW}`, path, trouble.errno, error)
}
