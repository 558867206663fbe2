import { randomUUID } from 'node:crypto'
import { bare } from './statement-splitter.ts'

/** A statement that makes a view, taken apart so that the engine (3.0.2) can make the view over rows that are there already. */
export interface ViewDefinition {
  /** What it selects, from where, and all that follows. */
  readonly selection: string
  /** A table of its name that takes the rows it has. */
  readonly plainTable: string
  /** In this order: each makes a view with the same rows as the first. */
  readonly forms: readonly string[]
  /** Changes nothing; the last of its statements succeeds if a form could be carried out where nothing has the view's name. */
  rehearsal(form: string): string
  /** A form, with all removed that has the name of the view. */
  replacing(form: string): string
}

const HEAD = /^(DEFINE TABLE (?:OVERWRITE |IF NOT EXISTS )?)(`(?:\\.|[^`\\])*`|⟨(?:\\.|[^⟩\\])*⟩|\w+)/is
/** What is in quotes means nothing; outside of them `AS SELECT` stands in the definition of a view alone. */
const QUOTED = /'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`|⟨(?:\\.|[^⟩\\])*⟩|\bAS\s*\(?\s*SELECT\s/gis

/**
 * The view that a statement makes; `undefined` if it makes none.
 *
 * The engine makes no view over rows unless it selects their id, which newer servers do by themselves. Selected or not, a row of a view has
 * an id of its own, so the view is the same with it. And in memory the engine stumbles over rows of the view's own, which a dump has in it
 * for the case that the view cannot be made again.
 */
export function viewIn(statement: string): ViewDefinition | undefined {
  const definition = bare(statement)
  const [whole = '', start = '', name = ''] = HEAD.exec(definition) ?? []
  if (name === '') return undefined
  const select = [...definition.slice(whole.length).matchAll(QUOTED)].find(([found]) => /^AS/i.test(found))
  if (select === undefined) return undefined
  const fields = whole.length + select.index + select[0].length
  return {
    selection: definition.slice(fields),
    plainTable: `${whole} TYPE ANY SCHEMALESS PERMISSIONS NONE`,
    forms: [definition, `${definition.slice(0, fields)}id, ${definition.slice(fields)}`],
    rehearsal: (form) => `BEGIN;${start}\`${randomUUID()}\`${form.slice(whole.length)};CANCEL;`,
    replacing: (form) => `REMOVE TABLE IF EXISTS ${name};${form}`,
  }
}
