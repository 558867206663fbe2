import { createHash } from 'node:crypto'
import { type Readable, Transform } from 'node:stream'
import { type DatabaseName, type ImportFacts, ImportFailedError } from './errors.ts'
import { failureIn, readBeginning, type ServerCalls } from './server-calls.ts'

export interface ImportStreamOptions {
  /** What is read, for people. */
  readonly source: string
  readonly onBytes: ((bytes: number) => void) | undefined
  readonly signal: AbortSignal | undefined
  /** What `body` has to be. */
  readonly sha256?: string
}

/** So many of the failures are in the message. */
const TOLD = 3

/**
 * Sends statements to the server's `/import`. Resolves with what was sent once all of them were carried out.
 * Throws `ImportFailedError`, also when `body` breaks, and `DatabaseNameError` before anything is sent.
 */
export async function importFrom(
  calls: ServerCalls,
  database: DatabaseName,
  body: Readable,
  { source, onBytes, signal, sha256 }: ImportStreamOptions,
): Promise<{ readonly bytes: number }> {
  const hash = createHash('sha256')
  let bytes = 0
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      bytes += chunk.length
      onBytes?.(bytes)
      done(undefined, chunk)
    },
  })
  let unreadable: unknown
  body.once('error', (error) => {
    unreadable = error
    counted.destroy(error)
  })
  body.pipe(counted)
  const failed = (what: string, failures: readonly string[], cause?: unknown): ImportFailedError => {
    const facts: ImportFacts = { ...database, source, failures }
    return new ImportFailedError(facts, what, cause === undefined ? undefined : { cause })
  }
  let status: number | undefined
  let text: string
  let refusal: string
  try {
    const answer = await calls.import(database, counted)
    text = await readBeginning(answer)
    status = answer.statusCode
    refusal = failureIn(answer, text)
  } catch (error) {
    signal?.throwIfAborted()
    if (unreadable === undefined && !isOfConnection(error)) throw error
    const [what, next] =
      unreadable === undefined
        ? ['the connection to the server broke', 'import it again into an empty database.']
        : [
            `it could not be read to its end (${(unreadable as Error).message})`,
            'mend that, and import it into an empty database.',
          ]
    throw failed(`${what}. Some of the statements were carried out, it is not known which: ${next}`, [], error)
  } finally {
    body.unpipe(counted)
    body.destroy()
  }
  if (sha256 !== undefined && counted.readableEnded && hash.digest('hex') !== sha256) {
    throw failed('the file was changed after it was checked.', [])
  }
  if (status === 200) return { bytes }
  const failures = status === 422 ? failuresIn(text) : []
  if (failures.length === 0) throw failed(`the server answered ${refusal}${endOf(refusal)}${afterRefusal(refusal)}`, [])
  throw failed(describe(failures), failures)
}

/** The server draws a picture of several lines, or writes a sentence. */
function endOf(words: string): string {
  if (words.includes('\n')) return '\n'
  return words.endsWith('.') ? ' ' : '. '
}

function afterRefusal(refusal: string): string {
  return refusal.includes('requires `OPTION IMPORT;`')
    ? 'Nothing was carried out. If it is no export, but statements of your own: `procref sql < FILE`.'
    : 'What stands before that in the file may have been carried out.'
}

/** The failures that the server lists; of a list that was cut off those that are whole. */
function failuresIn(text: string): readonly string[] {
  for (let list = text; ; ) {
    try {
      const failures = (JSON.parse(list) as readonly { readonly result: unknown }[]).map(({ result }) =>
        String(result).trim(),
      )
      return list === text ? failures : [...failures, 'and more, which were not read']
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
    }
    const cut = list.lastIndexOf('},{')
    if (cut === -1) return []
    list = `${list.slice(0, cut)}}]`
  }
}

function describe(failures: readonly string[]): string {
  const count = failures.length === 1 ? 'one statement' : `${failures.length} statements`
  const told = failures.slice(0, TOLD).map((failure) => `\n  ${failure.replaceAll('\n', '\n  ')}`)
  const more = failures.length > TOLD ? `\n  … and ${failures.length - TOLD} more` : ''
  const rest = failures.some((failure) => failure.startsWith('Parse error'))
    ? 'What stands before a statement that cannot be read was carried out, what stands behind it perhaps not.'
    : 'All other statements were carried out.'
  return `${count} could not be carried out. ${rest}${told.join('')}${more}`
}

/** An error of the system's, and none of ours. */
function isOfConnection(error: unknown): boolean {
  const code = (error as { readonly code?: unknown } | null)?.code
  return typeof code === 'string' && !code.startsWith('PROCREF_')
}
