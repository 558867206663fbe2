import { bare } from './statement-splitter.ts'

/** A secret of another protocol, which the engine does not speak. */
const SCRAM = / PASSSCRAM '[^']*'/g
const REDACTED = / KEY '\[REDACTED\]'/
const NAMED = /^DEFINE (?:ACCESS|TABLE) (?:OVERWRITE |IF NOT EXISTS )?(`(?:\\.|[^`\\])*`|⟨[^⟩]*⟩|\w+)/is

/** A word of a clause, or of a text: then the statement is left as it is. */
const RETURN = /\bRETURN\b/i
const ENFORCED = /^(DEFINE TABLE [^'"]*? TYPE RELATION\b[^'"]*?) ENFORCED\b/is

/**
 * The statement of a dump of a newer server, in what the engine (3.0.2) can read. It answers an INSERT with the rows, also in an import
 * and even those that have no form in CBOR (a regex): it is told not to.
 */
export function forThisEngine(statement: string, words: string): string {
  if (words.startsWith('DEFINE USER ')) return statement.replace(SCRAM, '')
  if (/^INSERT\b/.test(words) && !RETURN.test(statement)) return `${statement.replace(/;$/, '')}\nRETURN NONE;`
  return withoutEnforcement(statement) ?? statement
}

/** Edges may come before the records that they join: the real server looks for these only after an import. */
export function withoutEnforcement(statement: string): string | undefined {
  const bareStatement = bare(statement)
  return ENFORCED.test(bareStatement) ? bareStatement.replace(ENFORCED, '$1') : undefined
}

/** Makes it again as it was. */
export function enforcedAgain(statement: string): string {
  return bare(statement).replace(/^DEFINE TABLE (?:OVERWRITE |IF NOT EXISTS )?/i, 'DEFINE TABLE OVERWRITE ')
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
