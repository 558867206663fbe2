/** A name in SurrealQL, whatever is in it; within backticks only backtick and backslash mean something. */
export function quoteIdentifier(name: string): string {
  return `\`${name.replace(/[\\`]/g, '\\$&')}\``
}
