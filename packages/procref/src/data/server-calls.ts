import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { quoteIdentifier, retryable, type SurrealHttp } from '@procref/lifecycle'
import { type DatabaseName, DatabaseNameError, StatementFailedError } from './errors.ts'

/** More than anybody looks at of an error, and more than the failures of an import that anybody reads. */
const MAX_BODY = 1024 * 1024

/** What a header of HTTP can carry without being changed on the way. */
const IN_A_HEADER = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/

/** Names of what is defined, each with its statement. */
export type Definitions = Readonly<Record<string, string>>

/** The answer of `INFO FOR …`: lists of definitions, and other things. */
export type Information = Readonly<Record<string, Definitions>>

/** The requests that moving data takes, of one lease. */
export class ServerCalls {
  readonly #http: SurrealHttp
  readonly #signal: AbortSignal | undefined

  constructor(http: SurrealHttp, signal: AbortSignal | undefined) {
    this.#http = http
    this.#signal = signal
  }

  /** The answer, whatever its status, not read yet. Throws `DatabaseNameError`. */
  async export(database: DatabaseName): Promise<IncomingMessage> {
    return await this.#request('GET', '/export', selecting(database))
  }

  /** The answer, whatever its status, not read yet. Throws `DatabaseNameError`. */
  async import(database: DatabaseName, body: Readable): Promise<IncomingMessage> {
    return await this.#request('POST', '/import', selecting(database), body)
  }

  /** Throws `DatabaseNameError` where the two above would. */
  checkName(database: DatabaseName): void {
    selecting(database)
  }

  async rootInformation(): Promise<Information> {
    return await this.#information('INFO FOR ROOT', {})
  }

  async namespaceInformation(namespace: string): Promise<Information> {
    return await this.#information('INFO FOR NS', selectingNamespace(namespace))
  }

  /** `undefined`: it is not there. Throws `DatabaseNameError` for one that is. */
  async databaseInformation(database: DatabaseName): Promise<Information | undefined> {
    if (!isSendable(database) && !(await this.#isListed(database))) return undefined
    const statements = 'INFO FOR ROOT; INFO FOR NS; INFO FOR DB'
    // Servers have many words for a database that is not there: it is looked for among those that are.
    const [root, ofNamespace, ofDatabase] = await this.#results(statements, selecting(database))
    const isThere =
      isIn(root?.result, 'namespaces', database.namespace) && isIn(ofNamespace?.result, 'databases', database.database)
    if (!isThere) return undefined
    if (ofDatabase?.status !== 'OK') throw new StatementFailedError('INFO FOR DB', String(ofDatabase?.result))
    return ofDatabase.result as Information
  }

  /** Makes the namespace and the database, if they are missing. */
  async define({ namespace, database }: DatabaseName): Promise<void> {
    const ns = quoteIdentifier(namespace)
    await this.#query(
      `DEFINE NAMESPACE IF NOT EXISTS ${ns}; USE NS ${ns}; DEFINE DATABASE IF NOT EXISTS ${quoteIdentifier(database)}`,
      {},
    )
  }

  /** Makes the namespace, if it is missing. */
  async defineNamespace(namespace: string): Promise<void> {
    await this.#query(`DEFINE NAMESPACE IF NOT EXISTS ${quoteIdentifier(namespace)}`, {})
  }

  async remove({ namespace, database }: DatabaseName): Promise<void> {
    await this.#query(
      `USE NS ${quoteIdentifier(namespace)}; REMOVE DATABASE IF EXISTS ${quoteIdentifier(database)}`,
      {},
    )
  }

  async #information(statement: string, headers: Headers): Promise<Information> {
    return (await this.#query(statement, headers)) as Information
  }

  async #isListed({ namespace, database }: DatabaseName): Promise<boolean> {
    if (!isIn(await this.rootInformation(), 'namespaces', namespace)) return false
    return isIn(await this.namespaceInformation(namespace), 'databases', database)
  }

  /** The result of the last statement. Throws `StatementFailedError` for the first that failed. */
  async #query(statements: string, headers: Headers): Promise<unknown> {
    return await retryable(async () => {
      const results = await this.#results(statements, headers)
      const failed = results.find(({ status }) => status !== 'OK')
      if (failed !== undefined) throw new StatementFailedError(statements, String(failed.result))
      return results.at(-1)?.result
    })
  }

  async #results(statements: string, headers: Headers): Promise<readonly StatementResult[]> {
    const answer = await this.#request('POST', '/sql', headers, statements)
    const text = await readText(answer)
    if (answer.statusCode !== 200) throw new StatementFailedError(statements, failureIn(answer, text))
    return JSON.parse(text) as readonly StatementResult[]
  }

  async #request(
    method: 'GET' | 'POST',
    path: string,
    headers: Headers,
    body?: string | Readable,
  ): Promise<IncomingMessage> {
    return await this.#http.request({
      method,
      path,
      headers: { ...headers, accept: 'application/json' },
      ...(body !== undefined && { body }),
      ...(this.#signal !== undefined && { signal: this.#signal }),
    })
  }
}

type Headers = Readonly<Record<string, string>>

interface StatementResult {
  readonly status: string
  readonly result: unknown
}

/** Is it among those that an answer to `INFO` lists? */
function isIn(information: unknown, section: 'namespaces' | 'databases', name: string): boolean {
  if (typeof information !== 'object' || information === null) return false
  return Object.hasOwn((information as Information)[section] ?? {}, name)
}

function isSendable({ namespace, database }: DatabaseName): boolean {
  return IN_A_HEADER.test(namespace) && IN_A_HEADER.test(database)
}

function selecting({ namespace, database }: DatabaseName): Headers {
  if (!IN_A_HEADER.test(database)) throw new DatabaseNameError(database)
  return { ...selectingNamespace(namespace), 'surreal-db': database }
}

function selectingNamespace(namespace: string): Headers {
  if (!IN_A_HEADER.test(namespace)) throw new DatabaseNameError(namespace)
  return { 'surreal-ns': namespace }
}

/** The whole answer, for one that is known to be short. */
async function readText(answer: IncomingMessage): Promise<string> {
  answer.setEncoding('utf8')
  let text = ''
  for await (const piece of answer) text += piece as string
  return text
}

/** The beginning of an answer; the rest of it is read and dropped. */
export async function readBeginning(answer: IncomingMessage): Promise<string> {
  answer.setEncoding('utf8')
  let text = ''
  for await (const piece of answer) if (text.length < MAX_BODY) text += piece as string
  return text
}

/** Why the server refused a request, in its words. */
export function failureIn({ statusCode }: IncomingMessage, text: string): string {
  let information: unknown
  try {
    information = (JSON.parse(text) as { readonly information?: unknown } | null)?.information
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  const words = typeof information === 'string' ? information : text.slice(0, 1_000)
  return `HTTP ${statusCode}${words === '' ? '' : `: ${words.trim()}`}`
}
