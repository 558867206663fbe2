import { decodeValue, encodeArray, encodeMap, encodeValue, readElements, readEntries } from './cbor.ts'
import type { Answer } from './engine.ts'
import { invalidAuth, plainError, type RpcError, shuttingDown, transactionConflict } from './rpc-errors.ts'
import { textOf } from './rpc-request.ts'

/**
 * Errors that the engine (3.0.2) says in other words or with another kind than the real server (3.3.5), where clients decide
 * by them what to do next: above all a conflict of transactions, which SDKs try again only if its kind says so.
 */
export function asReal(method: string, answer: Answer): Answer {
  if ('error' in answer) return { ...answer, error: errorAsReal(method, answer.error) }
  return method === 'query' ? { result: statementsAsReal(answer.result) } : answer
}

/** What the engine calls `Internal`, by its message. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ['No record was returned', 'NotFound'],
  ['This record access method does not allow signup', 'NotAllowed'],
  ['This record access method does not allow signin', 'NotAllowed'],
  ['The record access signup query failed', 'Query'],
])

const OF_AN_ACCESS = /^The (?:\w+ )?access method /

const CONFLICT = 'Transaction conflict: '

/** Nothing was done, and the same may succeed now. */
export function isConflict(error: RpcError): boolean {
  return internalMessage(error)?.startsWith(CONFLICT) ?? false
}

function internalMessage(error: RpcError): string | undefined {
  const { kind, message } = decodeValue(error) as { readonly kind?: unknown; readonly message?: unknown }
  return kind === 'Internal' && typeof message === 'string' ? message : undefined
}

function errorAsReal(method: string, error: RpcError): RpcError {
  const message = internalMessage(error)
  if (message === undefined || error.equals(shuttingDown())) return error
  if (message.startsWith(CONFLICT)) return transactionConflict(message.replace(': . This', '. This'))
  // What is wrong with a token is nothing that a stranger is told; of the access that it names the real server speaks.
  if (method === 'authenticate') return OF_AN_ACCESS.test(message) ? error : invalidAuth()
  const realKind = KINDS.get(message)
  return realKind === undefined ? error : plainError(realKind, message)
}

const NOT_EXECUTED = `Query not executed: ${CONFLICT}`

/** In the answer to `query`. May also occur in data, so a match has to be looked at closely. */
const FAILED_MARK = Buffer.concat([encodeValue('status'), encodeValue('ERR')])

const NO_VERSIONS =
  'There was a problem with the key-value store: The underlying datastore does not support versioned queries'

/**
 * Costs next to nothing when no statement has failed. After a conflict the engine says of each statement of the transaction
 * that it was not executed, and nothing of the COMMIT, so that the answers to later statements would stand in the wrong place.
 */
function statementsAsReal(result: Buffer): Buffer {
  if (!result.includes(FAILED_MARK)) return result
  const said: Buffer[] = []
  let commit: Buffer | undefined
  for (const statement of readElements(result)) {
    const failure = failureOf(statement)
    if (failure?.message.startsWith(NOT_EXECUTED)) {
      const { message, time } = failure
      said.push(failed(time, 'The query was not executed due to a failed transaction', 'Query', 'NotExecuted'))
      commit = failed(time, message.replace('Query not executed', 'Cannot COMMIT'), 'Query', 'TransactionConflict')
      continue
    }
    if (commit !== undefined) said.push(commit)
    commit = undefined
    said.push(failure === undefined ? statement : failureAsReal(failure, statement))
  }
  return encodeArray(commit === undefined ? said : [...said, commit])
}

interface Failure {
  readonly message: string
  readonly time: Buffer
}

function failureOf(statement: Buffer): Failure | undefined {
  const fields = new Map([...readEntries(statement)].map(({ key, value }) => [key, value]))
  const time = fields.get('time')
  const message = textOf(fields.get('status')) === 'ERR' ? textOf(fields.get('result')) : undefined
  return time === undefined || message === undefined ? undefined : { message, time }
}

function failureAsReal({ message, time }: Failure, statement: Buffer): Buffer {
  if (message.startsWith(CONFLICT)) {
    const said = `There was a problem with the key-value store: ${message.replace(': . This', '. This')}`
    return failed(time, said, 'Query', 'TransactionConflict')
  }
  const isVersion = message === NO_VERSIONS || message.endsWith('Invalid argument: Versioning not enabled')
  return isVersion ? failed(time, NO_VERSIONS, 'Configuration') : statement
}

function failed(time: Buffer, message: string, kind: string, details?: string): Buffer {
  return encodeMap([
    ...(details === undefined ? [] : [['details', encodeValue({ kind: details })] as const]),
    ['kind', encodeValue(kind)],
    ['result', encodeValue(message)],
    ['status', encodeValue('ERR')],
    ['time', time],
  ])
}
