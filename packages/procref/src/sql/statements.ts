import type { Lease } from '@procref/lifecycle'

/** What became of one statement, in JSON's terms; exactly one of the two is there, and `result` may be `null`. */
export interface StatementResult {
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

/**
 * Runs SurrealQL text and tells what became of each statement, in order. A text that cannot be parsed is one failure, and nothing
 * of it was run.
 */
export async function runStatements(db: Lease['db'], text: string): Promise<readonly StatementResult[]> {
  if (text.trim() === '') return []
  try {
    const responses = await db.query(text).json().responses()
    return responses.map((response) =>
      response.success ? { result: response.result ?? null } : { error: { message: response.error.message } },
    )
  } catch (error) {
    // The database's own refusal; the loss of the connection is the lease's to report.
    return [{ error: { message: error instanceof Error ? error.message : String(error) } }]
  }
}
