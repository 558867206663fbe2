import { ProcrefError } from './errors.ts'

/** This system does not tell what is needed to recognise a process safely. */
export class ProcessIdentityUnavailableError extends ProcrefError {
  static readonly code = 'PROCREF_IDENTITY_UNAVAILABLE'
  constructor(reason: string, options?: { readonly cause?: unknown }) {
    super(
      ProcessIdentityUnavailableError.code,
      `Processes cannot be told apart safely here: ${reason}. ` +
        'On Linux mount /proc for this pid namespace; see docs/reliability.md for the systems that are supported.',
      options,
    )
  }
}
