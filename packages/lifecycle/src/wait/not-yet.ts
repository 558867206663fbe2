/** What a server does to a connection while it is starting, or not yet speaking HTTP. */
const NOT_YET = /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|HPE_[A-Z_]+)$/

/** Is this what a connection to a server that is just starting may fail with? Anything else waiting does not mend. */
export function isNotYet(error: Error): error is Error & { readonly code: string } {
  const { code } = error as NodeJS.ErrnoException
  return code !== undefined && NOT_YET.test(code)
}
