import { decodeValue, encodeArray, encodeMap, encodeValue, readElements, readEntries } from './cbor.ts'
import type { Answer } from './engine.ts'
import { invalidAuth, plainError, type RpcError, shuttingDown, transactionConflict } from './rpc-errors.ts'
import { textOf } from './rpc-request.ts'

/**
 * Errors that the engine (3.0.2) says in other words or with another kind than the real server (3.3.5), where clients decide
 * by them what to do next: above all a conflict of transactions, which SDKs try again only if its kind says so.
 */
export function asReal(method: string, answer: Answer): Answer {
  if ('error' in answer) return { error: errorAsReal(method, answer.error) }
  return method === 'query' ? { result: statementsAsReal(answer.result) } : answer
}

/** What the engine calls `Internal`, by its message. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ['No record was returned', 'NotFound'],
  ['This record access method does not allow signup', 'NotAllowed'],
  ['The record access signup query failed', 'Query'],
])

const CONFLICT = 'Transaction conflict: '
const CONFLICT_MARK = Buffer.from(CONFLICT)

function errorAsReal(method: string, error: RpcError): RpcError {
  const { kind, message } = decodeValue(error) as { readonly kind?: unknown; readonly message?: unknown }
  if (kind !== 'Internal' || typeof message !== 'string' || error.equals(shuttingDown())) return error
  // Whatever is wrong with a token is nothing that a stranger is told.
  if (method === 'authenticate') return invalidAuth()
  const realKind = KINDS.get(message)
  if (realKind !== undefined) return plainError(realKind, message)
  return message.startsWith(CONFLICT) ? transactionConflict(message) : error
}

const NOT_EXECUTED = `Query not executed: ${CONFLICT}`

/**
 * Costs next to nothing when there is no conflict. With one, the engine says of each statement of the transaction that it
 * was not executed, and nothing of the COMMIT, so that the answers to later statements would stand in the wrong place.
 */
function statementsAsReal(result: Buffer): Buffer {
  if (!result.includes(CONFLICT_MARK)) return result
  const said: Buffer[] = []
  let commit: Buffer | undefined
  for (const statement of readElements(result)) {
    const fields = new Map([...readEntries(statement)].map(({ key, value }) => [key, value]))
    const time = fields.get('time')
    const message = textOf(fields.get('status')) === 'ERR' ? textOf(fields.get('result')) : undefined
    if (time !== undefined && message?.startsWith(NOT_EXECUTED)) {
      said.push(failed('NotExecuted', 'The query was not executed due to a failed transaction', time))
      commit = failed('TransactionConflict', message.replace('Query not executed', 'Cannot COMMIT'), time)
      continue
    }
    if (commit !== undefined) said.push(commit)
    commit = undefined
    const conflicted = time !== undefined && message?.startsWith(CONFLICT)
    said.push(
      conflicted
        ? failed('TransactionConflict', `There was a problem with the key-value store: ${message}`, time)
        : statement,
    )
  }
  return encodeArray(commit === undefined ? said : [...said, commit])
}

function failed(kind: string, message: string, time: Buffer): Buffer {
  return encodeMap([
    ['details', encodeValue({ kind })],
    ['kind', encodeValue('Query')],
    ['result', encodeValue(message)],
    ['status', encodeValue('ERR')],
    ['time', time],
  ])
}
