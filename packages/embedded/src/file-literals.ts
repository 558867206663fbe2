import { encodeArray, encodeMap, encodeValue, TAG } from './cbor.ts'
import { firstWords } from './statement-splitter.ts'

/** What the engine (3.0.2) says of a file literal: it reads none, but takes a file that comes as a variable. */
const REFUSAL = 'expected the experimental files feature to be enabled'

/** File literals, and in what else one may seem to be: strings, names, and regular expressions, which begin where a value does (elsewhere `/` divides). */
const PIECES =
  /(?<![\w$])f(?:"([^"\\]*(?:\\.[^"\\]*)*)"|'([^'\\]*(?:\\.[^'\\]*)*)')|'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*"|`[^`\\]*(?:\\.[^`\\]*)*`|⟨[^⟩\\]*(?:\\.[^⟩\\]*)*⟩|(?<=[[{(,:]\s*)\/[^/\\]*(?:\\.[^/\\]*)*\//gsu

/** The variable with all of them: a dump may have any number. */
const FILES = 'files_of_dump'

/** Statements, and the variables in them. */
export interface WithVariables {
  readonly statements: readonly string[]
  /** Encoded. */
  readonly variables: Buffer
}

/** Whether an error says that file literals stand in what was to be read. */
export function refusesFiles(message: string | undefined): boolean {
  return message?.includes(REFUSAL) ?? false
}

/** The same statements with the files in them as a variable: in those of rows, because in a definition a variable would be another thing. */
export function withFilesAsVariables(
  statements: readonly string[],
  isOfRows = (statement: string): boolean => /^INSERT\b/.test(firstWords(statement)),
): WithVariables {
  const files: Buffer[] = []
  const variableFor = (piece: string, doubled?: string, single?: string): string => {
    const literal = doubled ?? single
    const file = literal === undefined ? undefined : fileIn(literal)
    if (file === undefined) return piece
    return `$${FILES}[${files.push(file) - 1}]`
  }
  const rewritten = statements.map((statement) =>
    isOfRows(statement) ? statement.replace(PIECES, variableFor) : statement,
  )
  return { statements: rewritten, variables: encodeMap([[FILES, encodeArray(files)]]) }
}

/** In the literal every character that is not plain has a backslash before it, which means nothing else. */
function fileIn(literal: string): Buffer | undefined {
  const [, bucket, key] = /^((?:\\.|[^\\:])*):(.*)$/su.exec(literal) ?? []
  if (bucket === undefined || key === undefined) return undefined
  const parts = [bucket, key].map((part) => encodeValue(part.replace(/\\(.)/gsu, '$1')))
  return Buffer.concat([Buffer.of(0xd8, TAG.file), encodeArray(parts)])
}
