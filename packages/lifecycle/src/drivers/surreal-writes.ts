import { randomBytes } from 'node:crypto'

/**
 * SurrealQL that commits a write and leaves nothing: made and taken back in one transaction, nobody ever sees it, but the storage has to
 * write it all the same. What is taken back has a name that nobody else has given to anything: one that exists is not made, and then nothing is removed.
 */
export function writeThatLeavesNothing(): string {
  const name = `procref_${randomBytes(16).toString('hex')}`
  return `BEGIN; DEFINE NAMESPACE ${name}; REMOVE NAMESPACE ${name}; COMMIT;`
}

/** `… This transaction can be retried`, in 2.x and 3.x. */
export function isRetryable(message: string): boolean {
  return /can be retried|transaction conflict/i.test(message)
}

/** Why a transaction was not committed: what the statements of it say that were only not executed tells nothing. */
export function whyNotCommitted(failures: readonly string[]): string {
  const reasons = failures.filter((failure) => !/not executed due to/i.test(failure))
  return (reasons.length === 0 ? failures : reasons).join('; ')
}
