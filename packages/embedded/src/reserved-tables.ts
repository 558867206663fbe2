/** Words that SurrealQL does not take for the name of a table where a value is expected. */
const RESERVED: ReadonlySet<string> = new Set(
  (
    'after all alter before begin break by cancel commit continue create define delete diff false for function if info insert kill ' +
    'let live none null option rand rebuild relate remove return select sequence show sleep table tb throw true update upsert use ' +
    'value where'
  ).split(' '),
)

/** Written so that a text is passed over in one step, however long. */
const PIECES =
  /'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*"|`[^`\\]*(?:\\.[^`\\]*)*`|⟨[^⟩]*⟩|(?<![\w$])([A-Za-z]+):(?=\S)/gs

/**
 * Values as the engine (3.0.2) writes them, with the tables of record ids quoted where it forgets to: it could not read `select:1` itself.
 * The key of an object has a space behind its colon, a record id none.
 */
export function quoteReservedTables(values: string): string {
  return values.replace(PIECES, (piece: string, table?: string) =>
    table !== undefined && RESERVED.has(table.toLowerCase()) ? `\`${table}\`:` : piece,
  )
}
