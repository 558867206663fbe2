import { ProcrefError } from '@procref/core'

/** No backend has this name. */
export class UnknownBackendError extends ProcrefError {
  static readonly code = 'PROCREF_UNKNOWN_BACKEND'
  readonly backend: string
  readonly known: readonly string[]
  constructor(backend: string, known: readonly string[]) {
    super(
      UnknownBackendError.code,
      `There is no backend ${JSON.stringify(backend)} in this version. Ask for one of: ${known.join(', ')}; or for none, to get the best.`,
    )
    this.backend = backend
    this.known = known
  }
}
