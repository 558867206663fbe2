import { FileAccessError, importTrouble, ProcrefError, START_ANEW } from '@procref/core'

/** The official SDK, or what of this package is made of it, could not be loaded; in this process it cannot be any more. */
export class SdkUnavailableError extends ProcrefError {
  static readonly code = 'PROCREF_SDK_UNAVAILABLE'
  constructor(cause: unknown) {
    const said = cause instanceof Error ? cause.message : String(cause)
    super(
      SdkUnavailableError.code,
      `The SurrealDB SDK could not be loaded: ${said}. If the package surrealdb is not installed, install it; if it is, this program could not ` +
        `open enough files: raise the limit (\`ulimit -n\`). ${START_ANEW}`,
      { cause },
    )
  }
}

export type Sdk = [typeof import('surrealdb'), typeof import('./engine.ts')]

/**
 * Loads the official SDK, which only programs that connect need. Throws `SdkUnavailableError`, and `FileAccessError` where the system says
 * what it refused; whatever it throws it will throw again.
 */
export async function loadSdk(): Promise<Sdk> {
  try {
    return await Promise.all([import('surrealdb'), import('./engine.ts')])
  } catch (error) {
    const trouble = importTrouble(error, 'surrealdb')
    throw trouble instanceof FileAccessError ? trouble : new SdkUnavailableError(error)
  }
}
