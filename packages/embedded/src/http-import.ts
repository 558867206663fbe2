import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { asClient, type HttpContext } from './as-client.ts'
import { decodeValue, encodeArray, encodeValue, readElements } from './cbor.ts'
import { refusesFiles, withFilesAsVariables } from './file-literals.ts'
import {
  badRequest,
  bodyTooLong,
  CBOR_TYPE,
  content,
  empty,
  forbidden,
  type HttpAnswer,
  invalidHeader,
  JSON_TYPE,
  unsupportedMediaType,
} from './http-answer.ts'
import { messageOf, missingSelection } from './http-client.ts'
import { formOf } from './http-forms.ts'
import { toJson } from './json-output.ts'
import { enforcedAgain, forThisEngine, refusalOf, withoutEnforcement } from './newer-dump.ts'
import type { RpcClient } from './rpc-client.ts'
import { parseError } from './rpc-errors.ts'
import type { Session } from './session.ts'
import { firstWords, StatementSplitter } from './statement-splitter.ts'
import { type ViewDefinition, viewIn } from './view-definition.ts'

const NOT_ALLOWED = 'IAM error: Not enough permissions to perform this action'
const NO_OPTION =
  'Invalid statement: Import requires `OPTION IMPORT;` as the first statement. This disables events, live queries, field processing, ' +
  'and result output for optimal import performance. To execute queries with full side effects, use the /sql endpoint instead.'
const NOT_UTF8 = 'Invalid statement: Parse error: Invalid, non valid UTF-8 bytes, in source\n'
/** So much is handed to the engine at once, if it is several statements. */
const BATCH = 256 * 1024
/** One statement, and what has to be carried out with it, is kept whole: in characters. */
const MAX_KEPT = 128 * 1024 * 1024

/**
 * `POST /import`: the statements of a dump, each carried out as it comes in. It is not transactional: what fails is reported (422), the
 * rest is done. No more of the dump is in memory than a few statements, and of a long INSERT some of its rows; a transaction, and what
 * follows a LET, is kept whole (`MAX_KEPT`).
 */
export async function importDump(context: HttpContext, request: IncomingMessage): Promise<HttpAnswer> {
  const form = formOf(request.headers.accept) ?? 'json'
  return await asClient(context, request.headers, async (client, session) => {
    if (form === 'unknown') return invalidHeader('accept')
    if (!(await mayImport(client, session))) return forbidden(NOT_ALLOWED)
    const dump = new Dump(client)
    const refused = await read(request, dump)
    if (refused !== undefined) return refused
    const missing = missingSelection(session, request.headers)
    if (missing !== undefined) return badRequest(missing)
    const results = encodeArray(dump.failures)
    if (form === 'json') return judged(dump, content(JSON_TYPE, await toJson(context.engine, results)))
    if (form === 'cbor') return judged(dump, content(CBOR_TYPE, results))
    if (form !== 'bytes') return unsupportedMediaType()
    return judged(dump, dump.failures.length === 0 ? empty(200) : content('application/octet-stream', dump.report()))
  })
}

/**
 * As the real server: owners only, of what they are users of. The engine has no word for somebody's roles; only an owner may remove a
 * user, and there is none of this name.
 */
async function mayImport(client: RpcClient, { identity }: Session): Promise<boolean> {
  if (identity === undefined) return false
  const { namespace, database } = identity
  const level = database !== undefined ? 'DATABASE' : namespace !== undefined ? 'NAMESPACE' : 'ROOT'
  const statement = encodeValue(`REMOVE USER IF EXISTS \`${randomUUID()}\` ON ${level}`)
  const answer = await client.call({ method: 'query', params: encodeArray([statement]) })
  return 'result' in answer && readElements(answer.result).every(isOk)
}

/** What of a dump was carried out. */
class Dump {
  /** The results of the statements that failed, encoded. */
  readonly failures: Uint8Array[] = []
  readonly #client: RpcClient
  readonly #splitter = new StatementSplitter(MAX_KEPT / 2)
  #batch: string[] = []
  #length = 0
  /** Within BEGIN … COMMIT, or after a LET whose variable all that follows may use: what must not be torn apart. */
  #whole: 'transaction' | 'to the end' | undefined
  #begun = false
  /** Definitions of edges whose ends have to exist, once everything is there. */
  readonly #toEnforce: string[] = []

  constructor(client: RpcClient) {
    this.#client = client
  }

  async push(piece: string): Promise<HttpAnswer | undefined> {
    return (await this.#take(this.#splitter.push(piece))) ?? (this.#kept > MAX_KEPT ? bodyTooLong() : undefined)
  }

  async end(): Promise<HttpAnswer | undefined> {
    const refused = await this.#take(this.#splitter.end())
    if (refused !== undefined) return refused
    if (!this.#begun) return badRequest(NO_OPTION)
    await this.#run()
    this.#batch = this.#toEnforce.splice(0)
    return await this.#run()
  }

  report(): string {
    return this.failures.map((failure) => String((decodeValue(failure) as { result: unknown }).result)).join('\n')
  }

  get #kept(): number {
    return this.#length + this.#splitter.length
  }

  async #take(statements: readonly string[]): Promise<HttpAnswer | undefined> {
    for (const statement of statements) {
      const words = firstWords(statement)
      if (!this.#begun) {
        if (words !== 'OPTION IMPORT') return badRequest(NO_OPTION)
        this.#begun = true
        continue
      }
      const refusal = refusalOf(statement, words)
      if (refusal !== undefined) {
        await this.#run()
        this.failures.push(failureOf('Validation', refusal))
        continue
      }
      const view = this.#whole === undefined ? viewIn(statement) : undefined
      if (view !== undefined) {
        // What comes behind it may be about it: nothing of that is carried out before the view is there.
        await this.#run()
        await this.#make(view)
        continue
      }
      if (this.#whole === undefined && withoutEnforcement(statement) !== undefined) {
        this.#toEnforce.push(enforcedAgain(statement))
      }
      this.#batch.push(forThisEngine(statement, words))
      this.#length += statement.length
      if (/^LET\b/.test(words)) this.#whole = 'to the end'
      else if (/^BEGIN\b/.test(words)) this.#whole ??= 'transaction'
      else if (/^(COMMIT|CANCEL)\b/.test(words) && this.#whole === 'transaction') this.#whole = undefined
      if (this.#length >= BATCH && this.#whole === undefined) await this.#run()
      if (this.#length > MAX_KEPT) return bodyTooLong()
    }
    return undefined
  }

  async #run(): Promise<undefined> {
    if (this.#batch.length === 0) return
    const statements = this.#batch
    this.#batch = []
    this.#length = 0
    const unread = await this.#tried(statements)
    if (unread === undefined) return
    // Nothing of them was carried out, because one cannot be read; or all was, and the answer has no form in CBOR.
    const isDone = unread.equals(NO_FORM)
    if (isDone || statements.length === 1 || this.#whole !== undefined) this.failures.push(unread)
    else for (const statement of statements) this.failures.push(...[(await this.#tried([statement])) ?? []].flat())
  }

  /** The failure of all of them, if they could not be carried out at all. */
  async #tried(statements: readonly string[]): Promise<Buffer | undefined> {
    let answer = await this.#resultsOf(statements.join(''))
    if ('failure' in answer && refusesFiles(answer.message)) {
      const { statements: read, variables } = withFilesAsVariables(statements)
      answer = await this.#resultsOf(read.join(''), variables)
    }
    if ('failure' in answer) return answer.failure
    // The first is OPTION's, where it has one.
    const results = answer.results.slice(-statements.length)
    this.failures.push(...results.filter((result) => !isOk(result)))
    return undefined
  }

  async #resultsOf(statements: string, variables?: Buffer): Promise<Results> {
    const query = encodeValue(`OPTION IMPORT;${statements}`)
    const params = encodeArray(variables === undefined ? [query] : [query, variables])
    const answer = await this.#client.call({ method: 'query', params })
    if ('result' in answer) return { results: readElements(answer.result) }
    if (answer.error.equals(parseError())) return { failure: NO_FORM }
    const { kind } = decodeValue(answer.error) as { readonly kind?: unknown }
    const message = messageOf(answer)
    return { failure: failureOf(kind, message), ...(message !== undefined && { message }) }
  }

  /** Nothing is removed for a view that cannot be made: the rows that a dump has of it stay then, as on the real server. */
  async #make({ forms, rehearsal, replacing }: ViewDefinition): Promise<void> {
    const failures: Buffer[] = []
    for (const form of forms) {
      const answer = await this.#resultsOf(form)
      const failure = 'failure' in answer ? answer.failure : answer.results.find((result) => !isOk(result))
      if (failure === undefined) return
      failures.push(failure)
    }
    for (const form of forms) {
      const rehearsed = await this.#resultsOf(rehearsal(form))
      if ('failure' in rehearsed || !rehearsed.results.slice(-1).every(isOk)) continue
      const made = await this.#resultsOf(replacing(form))
      if ('results' in made && made.results.every(isOk)) return
    }
    this.failures.push(...failures.slice(0, 1))
  }
}

/** Of each statement, or the failure of all of them. Encoded. */
type Results = { readonly results: readonly Buffer[] } | { readonly failure: Buffer; readonly message?: string }

function isOk(result: Buffer): boolean {
  return (decodeValue(result) as { readonly status: unknown }).status === 'OK'
}

function failureOf(kind: unknown, result: string | undefined): Buffer {
  return encodeValue({ kind, result, status: 'ERR', time: '0ns', type: null })
}

async function read(request: IncomingMessage, dump: Dump): Promise<HttpAnswer | undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const decoded = (chunk?: Buffer): string | undefined => {
    try {
      return decoder.decode(chunk, { stream: chunk !== undefined })
    } catch {
      return undefined
    }
  }
  try {
    for await (const chunk of request) {
      const piece = decoded(chunk as Buffer)
      if (piece === undefined) return badRequest(NOT_UTF8)
      const refused = await dump.push(piece)
      if (refused !== undefined) return refused
    }
  } catch {
    return badRequest('The request ended early')
  }
  return decoded() === undefined ? badRequest(NOT_UTF8) : await dump.end()
}

/** How `Engine.call` says that an answer has no form. */
const NO_FORM = failureOf(
  'Validation',
  'Carried out, but its answer has no form in CBOR: whether it failed is not known',
)

function judged(dump: Dump, answer: HttpAnswer): HttpAnswer {
  return dump.failures.length === 0 ? answer : { ...answer, status: 422 }
}
