/**
 * The base of every error that procref throws on purpose. Test `code`, not the class: two copies of a package can be
 * loaded. Codes are stable: added, never reused. The message says what happened, to which path, and what to do next.
 */
export class ProcrefError extends Error {
  readonly code: `PROCREF_${string}`
  constructor(code: `PROCREF_${string}`, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = new.target.name
    this.code = code
  }
}
