import { createHash } from 'node:crypto'
import { Transform, type TransformCallback } from 'node:stream'

/** How the servers begin the part of a table, and that of its rows. A name ends with the line. */
const HEADINGS = [Buffer.from('\n-- TABLE: '), Buffer.from('\n-- TABLE DATA: ')] as const
const LONGEST_HEADING = 16
const RULE = '-- ------------------------------'
const FIRST_STATEMENT = 'OPTION IMPORT;'
/** Enough of both ends to judge by. */
const END_BYTES = 256
/** A longer line is none of the servers' headings. */
const MAX_NAME_BYTES = 64 * 1024
const LINE_END = 10

/**
 * Passes a dump on unchanged, and sees whether it is all of one. Both servers promise nothing at its end, and an executable that fails in the
 * middle ends its answer as if all were well; so what is looked at is how a dump that was not broken off begins and ends, and
 * whether the tables are in it.
 *
 * Guarantee: holds no more than the ends of it and the names of its tables.
 */
export class DumpCheck extends Transform {
  readonly #hash = createHash('sha256')
  readonly #onBytes: ((bytes: number) => void) | undefined
  /** For each of `HEADINGS`, the names that came. */
  readonly #named = HEADINGS.map(() => new Set<string>())
  #bytes = 0
  #beginning = ''
  #end = Buffer.alloc(0)
  /** What a heading may have begun in. */
  #unread = Buffer.alloc(0)

  constructor(onBytes?: (bytes: number) => void) {
    super()
    this.#onBytes = onBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Once all of it was passed on. */
  get sha256(): string {
    return this.#hash.copy().digest('hex')
  }

  /** Why this is not a whole dump of a database that had these tables; `undefined`: it is one, as far as can be seen. */
  problemWith(tables: readonly string[]): string | undefined {
    if (this.#bytes === 0) return 'the server sent nothing'
    if (!this.#beginning.includes(FIRST_STATEMENT)) return 'the answer does not begin as an export does'
    const end = this.#end.toString('latin1')
    // Every part ends with an empty line, which comes after its last row; a heading has to be followed by something.
    if (!end.endsWith('\n\n') || end.endsWith(`${RULE}\n\n`)) return 'the answer is broken off'
    const [missing] = tables.filter((table) => isPlain(table) && this.#named.some((names) => !names.has(table)))
    return missing === undefined ? undefined : `the table ${JSON.stringify(missing)} is not all in it`
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#hash.update(chunk)
    if (this.#beginning.length < END_BYTES) this.#beginning += chunk.toString('latin1', 0, END_BYTES)
    this.#bytes += chunk.length
    this.#end = Buffer.concat([this.#end, chunk.subarray(-END_BYTES)]).subarray(-END_BYTES)
    this.#read(this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]))
    this.#onBytes?.(this.#bytes)
    done(undefined, chunk)
  }

  #read(bytes: Buffer): void {
    let keepFrom = Math.max(0, bytes.length - LONGEST_HEADING)
    for (const [kind, heading] of HEADINGS.entries()) {
      for (let at = bytes.indexOf(heading); at !== -1; at = bytes.indexOf(heading, at + 1)) {
        const name = at + heading.length
        const end = bytes.indexOf(LINE_END, name)
        if (end !== -1) this.#named[kind]?.add(bytes.toString('utf8', name, end))
        else if (bytes.length - name < MAX_NAME_BYTES) keepFrom = Math.min(keepFrom, at)
      }
    }
    // A copy: a part would keep all of it in memory.
    this.#unread = Buffer.from(bytes.subarray(keepFrom))
  }
}

/** The two servers write names with line ends and the like in two ways. */
function isPlain(table: string): boolean {
  return !/[\p{Cc}\u2028\u2029]/u.test(table)
}
