import type { Surreal } from 'surrealdb'

/** More attempts than there are honest programs that write the same rows at once, a moment apart. */
const AGAIN = { attempts: 50, retryDelay: 10, retryDelayMultiplier: 1, retryDelayJitter: 0.9 }

/**
 * Runs a query, which can be a transaction of several statements, and answers one result for each statement.
 *
 * SurrealDB's transactions are optimistic: of two that write the same row one fails, has done nothing, and is repeated here.
 * Throws the error of the statement that failed, not that of one that was not run for it.
 */
export async function runQuery(
  db: Surreal,
  text: string,
  variables: Readonly<Record<string, unknown>>,
): Promise<readonly unknown[]> {
  try {
    return await db.query<unknown[]>(text, { ...variables }).retry(AGAIN)
  } catch (error) {
    throw error instanceof Error && isConsequence(error) ? (error.cause ?? error) : error
  }
}

function isConsequence(error: Error): boolean {
  return /not executed due to a (failed|cancelled) transaction/.test(error.message)
}
