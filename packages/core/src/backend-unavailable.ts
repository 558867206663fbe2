import { ProcrefError } from './errors.ts'

/** The backend's native part is not there: not installed, not compiled, or not made for this platform. */
export class BackendUnavailableError extends ProcrefError {
  readonly backend: string
  constructor(backend: string, problem: string, remedy: string, cause?: unknown) {
    super('PROCREF_BACKEND_UNAVAILABLE', `The backend "${backend}" cannot be used: ${problem}. ${remedy}`, { cause })
    this.backend = backend
  }
}
