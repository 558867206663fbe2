import type { Store } from '@procref/example-gsc'
import type { Extract } from './extract.ts'

/** Rows that are written in one transaction, about. */
const ROWS_AT_ONCE = 1_500

export interface IndexedFile extends Extract {
  readonly root: string
  readonly path: string
  readonly language: string
  readonly hash: string
  readonly lines: number
  readonly readAt: number
}

/**
 * Puts files into the database, some at a time, each with all its rows in one transaction.
 *
 * Of programs that index the same folder at once, the one that read a file last writes it, and whoever has nothing new to say
 * about a file leaves it alone. Sending a transaction again, after a conflict or a lost connection, changes nothing.
 */
export class Writer {
  readonly #store: Store
  #waiting: IndexedFile[] = []
  #writing: Promise<unknown> = Promise.resolve()
  #rows = 0

  constructor(store: Store) {
    this.#store = store
  }

  /** Rejects with the failure of an earlier one, too. */
  async add(file: IndexedFile): Promise<void> {
    this.#waiting.push(file)
    this.#rows += 1 + file.symbols.length + file.mentions.length
    if (this.#rows >= ROWS_AT_ONCE) await this.#send()
  }

  /** Everything that was added is in the database when this resolves. */
  async flush(): Promise<void> {
    await this.#send()
    await this.#writing
  }

  /** Waits for what was sent before, not for this: meanwhile the next files are parsed. */
  async #send(): Promise<void> {
    const files = this.#waiting.map(toRows)
    this.#waiting = []
    this.#rows = 0
    await this.#writing
    if (files.length === 0) return
    this.#writing = this.#write(files)
    // Whoever adds or flushes next hears of it.
    this.#writing.catch(() => {})
  }

  async #write(files: readonly object[]): Promise<void> {
    await this.#store.query(
      `BEGIN;
      FOR $new IN $files {
        LET $was = (SELECT hash, readAt FROM ONLY type::record('file', [$new.file.root, $new.file.path]));
        IF $was = NONE OR ($was.hash != $new.file.hash AND $was.readAt <= $new.file.readAt) {
          DELETE symbol:[$new.file.root, $new.file.path, NONE]..[$new.file.root, $new.file.path, ..] RETURN NONE;
          DELETE mention:[$new.file.root, $new.file.path, NONE]..[$new.file.root, $new.file.path, ..] RETURN NONE;
          UPSERT type::record('file', [$new.file.root, $new.file.path]) CONTENT $new.file RETURN NONE;
          INSERT INTO symbol $new.symbols RETURN NONE;
          INSERT INTO mention $new.mentions RETURN NONE;
        };
      };
      COMMIT`,
      { files },
    )
  }

  /** Takes files with all their rows out of the database. */
  async remove(root: string, paths: readonly string[]): Promise<void> {
    await this.#store.query(
      `BEGIN;
      FOR $path IN $paths {
        DELETE symbol:[$root, $path, NONE]..[$root, $path, ..] RETURN NONE;
        DELETE mention:[$root, $path, NONE]..[$root, $path, ..] RETURN NONE;
        DELETE type::record('file', [$root, $path]) RETURN NONE;
      };
      COMMIT`,
      { root, paths },
    )
  }
}

function toRows({ root, path, language, hash, lines, readAt, symbols, mentions }: IndexedFile): object {
  return {
    file: { root, path, language, hash, lines, readAt, symbols: symbols.length },
    symbols: symbols.map((symbol, number) => ({
      ...symbol,
      ...{ id: [root, path, number], root, path, language, folded: symbol.name.toLowerCase() },
    })),
    mentions: mentions.map((mention, number) => ({ ...mention, id: [root, path, number], root, path })),
  }
}
