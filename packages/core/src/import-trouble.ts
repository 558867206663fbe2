import { closeSync, openSync } from 'node:fs'
import { FileAccessError, translateErrno } from './errno.ts'

/** Tried with Node 20: `import()` rejects with the same error for ever, also when there are descriptors again. */
export const START_ANEW = 'Then start this program anew: Node loads no module again that it could not load once.'

/**
 * The error to throw instead of that of an `import()` of `what`, where the system refused a file: it says that only another process can load it.
 * Every other error as it is: a package that is not there.
 */
export function importTrouble(error: unknown, what: string): unknown {
  const { path = what } = (error ?? {}) as { readonly path?: string }
  const trouble = translateErrno(whyNothingOpens() ?? error, 'load', path)
  if (!(trouble instanceof FileAccessError)) return error
  const { code, message, errno } = trouble
  return new FileAccessError(code, `${message} ${START_ANEW}`, path, errno, error)
}

/** With no descriptor left Node cannot read a package.json, and takes the package for one that is not there (tried with Node 20). */
function whyNothingOpens(): unknown {
  try {
    closeSync(openSync(process.execPath, 'r'))
    return undefined
  } catch (error) {
    return error
  }
}
