import { decodeValue, encodeArray, encodeUuid, encodeValue, uuidOf } from './cbor.ts'
import type { Answer, Engine } from './engine.ts'
import { refusesFiles, withFilesAsVariables } from './file-literals.ts'
import { messageOf } from './http-client.ts'
import { MOST_ROWS, PageSize } from './page-size.ts'
import { quoteReservedTables } from './reserved-tables.ts'
import type { Session } from './session.ts'
import { type ViewDefinition, viewIn } from './view-definition.ts'

/** What a dump has in it; all of it unless something is left out. As the real server's, in its words. */
export interface DumpOptions {
  readonly users?: boolean
  readonly accesses?: boolean
  readonly params?: boolean
  readonly functions?: boolean
  readonly analyzers?: boolean
  readonly apis?: boolean
  readonly buckets?: boolean
  readonly modules?: boolean
  readonly configs?: boolean
  readonly sequences?: boolean
  readonly records?: boolean
  readonly tables?: boolean | readonly string[] | { readonly exclude: readonly string[] }
}

/** As the real server, in its order. */
const SECTIONS = [
  'users',
  'accesses',
  'params',
  'functions',
  'analyzers',
  'apis',
  'buckets',
  'modules',
  'configs',
  'sequences',
] as const

/** A page of fewer is not worth the reading of the 500 that come next. */
const FEW_ROWS = 32

/** An INSERT ends once it has so many rows, or characters. */
const INSERT_ROWS = 1_000
const INSERT_LENGTH = 1024 * 1024

type Definitions = Readonly<Record<string, string>>

/**
 * The database that a session has selected, as the statements that make it again: piece by piece, as it was at one moment.
 *
 * Guarantee: of the dump no more is in memory than one INSERT (`INSERT_LENGTH`) and one page of rows (`PageSize`); beside them are the up to
 * 500 rows that the engine reads at once. Ending the iteration early ends the work.
 * Errors: the engine's words, also in the middle: what came before is no complete dump then.
 */
export class DatabaseDump {
  readonly #engine: Engine
  readonly #session: Session
  #txn: string | undefined
  #info: Readonly<Record<string, Definitions>> = {}

  constructor(engine: Engine, session: Session) {
    this.#engine = engine
    this.#session = session
  }

  /** Begins it. Resolves with why it cannot be, in the engine's words. Caller: `pieces()`, or `close()`. */
  async begin(): Promise<string | undefined> {
    const begun = await this.#engine.call({ method: 'begin' })
    this.#txn = 'result' in begun ? uuidOf(begun.result) : undefined
    if (this.#txn === undefined) return messageOf(begun) ?? 'no transaction'
    try {
      this.#info = (await this.#ask('INFO FOR DB')) as Readonly<Record<string, Definitions>>
      return undefined
    } catch (error) {
      return (error as Error).message
    }
  }

  /** Once. It ends the transaction. */
  async *pieces(options: DumpOptions): AsyncGenerator<string, void, undefined> {
    try {
      yield section('OPTION', ['OPTION IMPORT'])
      for (const name of SECTIONS) {
        const defined = Object.values(this.#info[name] ?? {})
        if (options[name] === false || defined.length === 0) continue
        const statements = name === 'configs' ? defined.map((what) => `DEFINE CONFIG OVERWRITE ${what}`) : defined
        yield section(name.toUpperCase(), statements)
      }
      const isWithRows = options.records !== false
      for (const table of this.#tables(options)) {
        if (table.view !== undefined) {
          // Its rows, for the case that it cannot be made again: a definition that succeeds makes them anew.
          yield `${table.view.plainTable};\n\n`
          if (isWithRows) yield* this.#data(table)
          yield* this.#structure(table)
        } else {
          yield* this.#structure(table)
          if (isWithRows) yield* this.#data(table)
        }
      }
    } finally {
      await this.close()
    }
  }

  async close(): Promise<void> {
    const txn = this.#txn
    this.#txn = undefined
    if (txn !== undefined) await this.#engine.call({ method: 'cancel', params: encodeArray([encodeUuid(txn)]) })
  }

  /**
   * A view is made from tables, and made anew by its definition: it comes after them, and after the views that it looks at. What no view
   * looks at comes last: the definition of a view removes links to its rows.
   */
  #tables({ tables: wanted = true }: DumpOptions): readonly Table[] {
    const all = Object.entries(this.#info.tables ?? {}).map(([name, definition]): Table => {
      return { name, definition, view: viewIn(definition) }
    })
    const chosen = all.filter(({ name }) => {
      if (typeof wanted === 'boolean') return wanted
      return 'exclude' in wanted ? !wanted.exclude.includes(name) : wanted.includes(name)
    })
    const views = chosen.filter(isView)
    const stored = chosen.filter((table) => !isView(table))
    const isSource = (table: Table): boolean => views.some((view) => looksAt(view, table))
    return [...stored.filter(isSource), ...inOrder(views), ...stored.filter((table) => !isSource(table))]
  }

  async *#structure({ name, definition }: Table): AsyncGenerator<string, void, undefined> {
    const {
      fields = {},
      indexes = {},
      events = {},
    } = (await this.#ask(`INFO FOR TABLE ${escaped(name)}`)) as Readonly<Record<string, Definitions>>
    const idempotent = Object.values(fields).map((field) => field.replace(/^DEFINE FIELD /, 'DEFINE FIELD OVERWRITE '))
    yield heading(`TABLE: ${name}`)
    for (const part of [[definition], idempotent, Object.values(indexes), Object.values(events)]) {
      yield `${part.map((statement) => `${statement};\n`).join('')}\n`
    }
  }

  async *#data({ name, definition }: Table): AsyncGenerator<string, void, undefined> {
    yield heading(`TABLE DATA: ${name}`)
    const computed = await this.#computedFields(name)
    const columns = computed.length === 0 ? '*' : `* OMIT ${computed.join(', ')}`
    // A table of any type has both; in the others nothing is the other thing.
    const isEdge = / TYPE RELATION\b/.test(definition)
      ? 'true'
      : / TYPE ANY\b/.test(definition)
        ? 'type::is_record($this.in) AND type::is_record($this.out)'
        : 'false'
    const inserts = [new Insert('INSERT'), new Insert('INSERT RELATION')] as const
    for await (const { rows, edges, count } of this.#pages({ table: escaped(name), columns, isEdge })) {
      inserts[0].add(rows, count)
      inserts[1].add(edges, count)
      for (const insert of inserts) if (insert.isFull) yield insert.take()
    }
    for (const insert of inserts) if (insert.isBegun) yield insert.take()
    yield '\n'
  }

  /**
   * All rows of a table. However few are wanted, the engine reads up to 500 of a range: where rows are long, so that a page has few, it is
   * asked for the ids of many, and then for one page of these after the other. (Asked by ids it takes longer for each row.)
   */
  async *#pages(read: Reading): AsyncGenerator<Page, void, undefined> {
    const size = new PageSize()
    for (let from = read.table, isMore = true; isMore; ) {
      let last: string
      if (size.rows >= FEW_ROWS) {
        const asked = size.rows
        const page = await this.#page(read, `${from} LIMIT ${asked}`)
        size.learn(page.count, lengthOf(page))
        yield page
        isMore = page.count === asked
        last = page.last
      } else {
        const ids = (await this.#ask(
          `RETURN (SELECT VALUE <string>id FROM ${from} LIMIT ${MOST_ROWS})`,
        )) as readonly string[]
        for (let done = 0; done < ids.length; ) {
          const page = await this.#page(read, listOf(ids.slice(done, done + size.rows)))
          done += size.rows
          size.learn(page.count, lengthOf(page))
          yield page
        }
        isMore = ids.length === MOST_ROWS
        last = ids.at(-1) ?? ''
      }
      from = `${quoteReservedTables(last)}>..`
    }
  }

  async #page({ columns, isEdge }: Reading, source: string): Promise<Page> {
    const [rows, edges, last, count] = (await this.#ask(
      `LET $page = SELECT ${columns} FROM ${source};
      LET $edges = $page[WHERE ${isEdge}];
      RETURN [<string>$page[WHERE !(${isEdge})], <string>$edges, <string>array::last($page).id, array::len($page)];`,
    )) as readonly [string, string, string, number | bigint]
    return { rows, edges, last, count: Number(count) }
  }

  async #computedFields(name: string): Promise<readonly string[]> {
    const { fields } = (await this.#ask(`INFO FOR TABLE ${escaped(name)} STRUCTURE`)) as {
      readonly fields: readonly { readonly name: string; readonly computed?: unknown }[]
    }
    return fields.filter(({ computed }) => computed !== undefined && computed !== null).map((field) => field.name)
  }

  /** The result of the last statement. */
  async #ask(statements: string): Promise<unknown> {
    let answer = await this.#query(encodeValue(statements))
    if ('error' in answer && refusesFiles(messageOf(answer))) {
      // Ids that have files in them.
      const { statements: rewritten, variables } = withFilesAsVariables([statements], () => true)
      answer = await this.#query(...rewritten.map(encodeValue), variables)
    }
    if ('error' in answer) throw new Error(messageOf(answer))
    const results = decodeValue(answer.result) as readonly { readonly status: string; readonly result: unknown }[]
    const failed = results.find(({ status }) => status !== 'OK')
    if (failed !== undefined) throw new Error(String(failed.result))
    return results.at(-1)?.result
  }

  async #query(...params: readonly Buffer[]): Promise<Answer> {
    const { engineId: session, order } = this.#session
    const txn = this.#txn
    const call = { method: 'query', params: encodeArray(params), session, ...(txn !== undefined && { txn }) }
    return await order.shared(() => this.#engine.call(call))
  }
}

/** What to read of which rows. */
interface Reading {
  readonly table: string
  readonly columns: string
  /** Whether `$this` is an edge. */
  readonly isEdge: string
}

/** Rows and edges as lists in SurrealQL. */
interface Page {
  readonly rows: string
  readonly edges: string
  /** The id of the last one. */
  readonly last: string
  readonly count: number
}

interface Table {
  readonly name: string
  readonly definition: string
  readonly view: ViewDefinition | undefined
}

function isView({ view }: Table): boolean {
  return view !== undefined
}

/** Taken to, if the name is anywhere in what it selects. */
function looksAt({ view }: Table, { name }: Table): boolean {
  return view?.selection.includes(name) ?? false
}

/** Each behind those that it looks at. */
function inOrder(views: readonly Table[]): readonly Table[] {
  const left = new Set(views)
  const ordered: Table[] = []
  while (left.size > 0) {
    const ready = [...left].filter((view) => ![...left].some((other) => other !== view && looksAt(view, other)))
    // Views in a ring have no order.
    for (const view of ready.length === 0 ? [...left] : ready) {
      ordered.push(view)
      left.delete(view)
    }
  }
  return ordered
}

function section(title: string, statements: readonly string[]): string {
  return `${heading(title)}${statements.map((statement) => `${statement};\n`).join('')}\n`
}

/** Rows as one statement, as the real server writes it. */
class Insert {
  readonly #words: string
  #lists: string[] = []
  #rows = 0
  #length = 0

  constructor(words: string) {
    this.#words = words
  }

  /** A list of at most so many. */
  add(list: string, rows: number): void {
    if (list === '[]') return
    this.#lists.push(quoteReservedTables(list).slice(1, -1))
    this.#rows += rows
    this.#length += list.length
  }

  get isBegun(): boolean {
    return this.#lists.length > 0
  }

  get isFull(): boolean {
    return this.#rows >= INSERT_ROWS || this.#length >= INSERT_LENGTH
  }

  take(): string {
    const statement = `${this.#words} [ ${this.#lists.join(', ')} ];\n`
    this.#lists = []
    this.#rows = this.#length = 0
    return statement
  }
}

const LINE = '-- ------------------------------'

/** A name may have a line's end in it, and must not end the comment. */
function heading(title: string): string {
  return `${LINE}\n-- ${title.replace(/[\n\r\u0085\u2028\u2029]/g, ' ')}\n${LINE}\n\n`
}

function lengthOf({ rows, edges }: Page): number {
  return rows.length + edges.length
}

/** Of ids in SurrealQL. */
function listOf(ids: readonly string[]): string {
  return `[${ids.map(quoteReservedTables).join(', ')}]`
}

/** A name in SurrealQL, whatever is in it. */
function escaped(name: string): string {
  return `\`${name.replace(/[\\`]/g, '\\$&')}\``
}
