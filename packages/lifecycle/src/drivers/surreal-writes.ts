/**
 * SurrealQL that commits a write and leaves nothing: made and taken back in one transaction, nobody ever sees it, but the storage has to
 * write it all the same.
 */
export const WRITE_THAT_LEAVES_NOTHING =
  'BEGIN; DEFINE NAMESPACE procref_writes; REMOVE NAMESPACE procref_writes; COMMIT;'

/** `… This transaction can be retried`, in 2.x and 3.x. */
export function isRetryable(message: string): boolean {
  return /can be retried|transaction conflict/i.test(message)
}

/** Why a transaction was not committed: what the statements of it say that were only not executed tells nothing. */
export function whyNotCommitted(failures: readonly string[]): string {
  const reasons = failures.filter((failure) => !/not executed due to/i.test(failure))
  return (reasons.length === 0 ? failures : reasons).join('; ')
}
