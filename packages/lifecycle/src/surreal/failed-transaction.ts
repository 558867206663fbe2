import type { QueryChunk, ServerError } from 'surrealdb'

/**
 * Gives the errors of statements that were not carried out, because a later one of their transaction failed, that one's error as their
 * `cause`. The SDK throws the first error it meets, which is often such a one and says nothing; and a conflict of two transactions is
 * told of the statement that met it, or of the COMMIT.
 */
export function nameCauses(chunks: readonly Pick<QueryChunk<unknown>, 'error'>[]): void {
  let cause: ServerError | undefined
  for (const { error } of chunks.toReversed()) {
    if (error === undefined || !isConsequence(error)) cause = error
    else if (cause !== undefined && error.cause === undefined) Object.defineProperty(error, 'cause', { value: cause })
  }
}

/** As all versions say it of a statement that has done nothing itself wrong. */
function isConsequence({ message }: ServerError): boolean {
  return /not executed due to a failed transaction/i.test(message)
}
