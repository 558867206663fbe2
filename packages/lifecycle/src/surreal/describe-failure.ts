/** Why an attempt to connect failed, for people. An error of several attempts (one an address of the host) has its messages inside. */
export function describeFailure(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(describeFailure).join('; ')
  // What a program's own function throws may be anything.
  if (!(error instanceof Error)) return String(error)
  const { name, message } = error
  if (name === 'TimeoutError') return 'no answer in time'
  return message === '' ? name : message
}
