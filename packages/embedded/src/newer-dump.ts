import { bare } from './statement-splitter.ts'

/** A secret of another protocol, which the engine does not speak. */
const SCRAM = / PASSSCRAM '[^']*'/g
const REDACTED = / KEY '\[REDACTED\]'/
const NAMED = /^DEFINE (?:ACCESS|TABLE) (?:OVERWRITE |IF NOT EXISTS )?(`(?:\\.|[^`\\])*`|⟨[^⟩]*⟩|\w+)/is

/** The statement of a dump of a newer server, in what the engine (3.0.2) can read. */
export function forThisEngine(statement: string, words: string): string {
  return words.startsWith('DEFINE USER ') ? statement.replace(SCRAM, '') : statement
}

/**
 * Why a statement must not be carried out, as the real server says it. A dump has no keys in it; whoever knows that would know the key of
 * an access that was made from one.
 */
export function refusalOf(statement: string, words: string): string | undefined {
  if (!words.startsWith('DEFINE ACCESS ') || !REDACTED.test(statement)) return undefined
  const name = NAMED.exec(bare(statement))?.[1]?.replace(/^[`⟨]|[`⟩]$/g, '') ?? ''
  return (
    `The access method '${name}' names the redaction placeholder as its key, which is published wherever an access is rendered; ` +
    'restore it from a definition carrying the real key, or define it again'
  )
}

/**
 * A dump of a newer server has the rows of a view in it, for the case that the view cannot be made again. The real server clears them
 * before it makes the view; the engine stumbles over them. The statements that do so, if this one makes a view.
 */
export function clearedFirst(statement: string): string | undefined {
  const name = NAMED.exec(bare(statement))?.[1]
  return name !== undefined && / AS SELECT /s.test(statement) ? `REMOVE TABLE ${name};${statement}` : undefined
}
