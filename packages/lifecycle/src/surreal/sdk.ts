import { closeSync, openSync } from 'node:fs'
import { FileAccessError, ProcrefError, translateErrno } from '@procref/core'

/** The official SDK, or what of this package is made of it, could not be loaded; in this process it cannot be any more. */
export class SdkUnavailableError extends ProcrefError {
  static readonly code = 'PROCREF_SDK_UNAVAILABLE'
  constructor(cause: unknown) {
    const said = cause instanceof Error ? cause.message : String(cause)
    super(
      SdkUnavailableError.code,
      `The SurrealDB SDK could not be loaded: ${said}. Install the package again where it was; if it is there, too few files could be opened: ` +
        `raise the limit (\`ulimit -n\`). ${START_ANEW}`,
      { cause },
    )
  }
}

/** Tried with Node 20: `import()` rejects with the same error for ever, also when there are descriptors again. */
const START_ANEW = 'Then start this program anew: Node loads no module again that it could not load once.'

export type Sdk = [typeof import('surrealdb'), typeof import('./engine.ts')]

/**
 * Loads the official SDK, which only programs that connect need. Throws `SdkUnavailableError`, and `FileAccessError` where the system says
 * what it refused; whatever it throws it will throw again.
 */
export async function loadSdk(): Promise<Sdk> {
  try {
    return await Promise.all([import('surrealdb'), import('./engine.ts')])
  } catch (error) {
    const { path = 'surrealdb' } = error as NodeJS.ErrnoException
    const trouble = translateErrno(whyNothingOpens() ?? error, 'load', path)
    if (!(trouble instanceof FileAccessError)) throw new SdkUnavailableError(error)
    const { code, message, errno } = trouble
    throw new FileAccessError(code, `${message} ${START_ANEW}`, path, errno, error)
  }
}

/** With no descriptor left Node cannot read a package.json, and takes it for one that is not there (tried with Node 20). */
function whyNothingOpens(): unknown {
  try {
    closeSync(openSync(process.execPath, 'r'))
    return undefined
  } catch (error) {
    return error
  }
}
