/** The server's own no, as the SDK has it; a lost connection is none. The SDK is loaded by now, by whoever tried to connect. */
export async function isRefusal(error: unknown): Promise<boolean> {
  const { ServerError } = await import('surrealdb')
  return error instanceof ServerError
}

/** A statement that this user may not carry out. Servers before 3 say so in words only. */
export function isNotPermitted(error: unknown): boolean {
  const { kind, message } = error as { readonly kind?: unknown; readonly message?: unknown }
  return kind === 'NotAllowed' || /not enough permissions/i.test(String(message))
}
