import type { Surreal } from 'surrealdb'

/** Beyond any honest number of programs that write the same rows at once. */
const MAX_ATTEMPTS = 50
const PAUSE_MS = 10

/**
 * Runs a query, which can be a transaction of several statements, and answers one result for each statement.
 *
 * SurrealDB's transactions are optimistic: of two that write the same row one fails, has done nothing, and is repeated here. The SDK's own
 * `.retry()` looks at the first statement's error only, and that says no more than that the transaction failed when the conflict is met further on.
 * Throws the error of the statement that failed, not that of one that was not run for it.
 */
export async function runQuery(
  db: Surreal,
  text: string,
  variables: Readonly<Record<string, unknown>>,
): Promise<readonly unknown[]> {
  for (let attempt = 1; ; attempt++) {
    const responses = await db.query(text, { ...variables }).responses()
    const errors = responses.flatMap((response) => (response.success ? [] : [response.error]))
    const [first] = errors
    if (first === undefined) return responses.map((response) => (response.success ? response.result : undefined))
    if (attempt === MAX_ATTEMPTS || !errors.some(isConflict))
      throw errors.find((error) => !isConsequence(error)) ?? first
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * (1 + Math.random())))
  }
}

function isConflict(error: Error): boolean {
  return /can be retried|transaction conflict/i.test(error.message)
}

function isConsequence(error: Error): boolean {
  return /not executed due to a (failed|cancelled) transaction/.test(error.message)
}
