import { encodeMap, encodeValue, NONE } from './cbor.ts'

/** An error as SurrealDB sends it to clients, encoded. The texts, codes and the order of the fields are the real server's (3.3.5). */
export type RpcError = Buffer

function error(code: number, kind: string, message: string, details?: object): RpcError {
  return encodeMap([
    ['cause', NONE],
    ['code', encodeValue(code)],
    ...(details === undefined ? [] : [['details', encodeValue(details)] as const]),
    ['kind', encodeValue(kind)],
    ['message', encodeValue(message)],
  ])
}

export const parseError = (): RpcError => error(-32700, 'Validation', 'Parse error', { kind: 'Parse' })

export const invalidRequest = (): RpcError => error(-32600, 'Validation', 'Invalid request', { kind: 'InvalidRequest' })

export const invalidParams = (message: string): RpcError =>
  error(-32603, 'Validation', message, { kind: 'InvalidParams' })

export const methodNotFound = (name: string): RpcError =>
  error(-32601, 'NotFound', 'Method not found', { kind: 'Method', details: { name } })

export const methodNotAllowed = (name: string): RpcError =>
  error(-32602, 'NotAllowed', 'Method not allowed', { kind: 'Method', details: { name } })

export const sessionNotFound = (id: string): RpcError =>
  error(-32000, 'NotFound', `Session not found: ${id}`, { kind: 'Session', details: { id } })

export const sessionExists = (id: string): RpcError =>
  error(-32000, 'AlreadyExists', `Session already exists: ${id}`, { kind: 'Session', details: { id } })

export const liveQueryNotSupported = (): RpcError =>
  error(-32604, 'Configuration', 'Unable to perform the realtime query', { kind: 'LiveQueryNotSupported' })

export const internal = (message: string): RpcError => plainError('Internal', message)

export const shuttingDown = (): RpcError => internal('The server is gracefully shutting down')

export const ANONYMOUS_MESSAGE = 'Anonymous access not allowed: Not enough permissions to perform this action'

export const anonymousNotAllowed = (): RpcError =>
  error(-32002, 'NotAllowed', ANONYMOUS_MESSAGE, {
    kind: 'Auth',
    details: { kind: 'NotAllowed', details: { action: 'process', actor: 'anonymous', resource: 'query' } },
  })

export const sessionExpired = (): RpcError =>
  error(-32000, 'NotAllowed', 'The session has expired', { kind: 'Auth', details: { kind: 'SessionExpired' } })

export const useNotAllowed = (what: 'namespace' | 'database', name: string): RpcError =>
  error(-32000, 'NotAllowed', `You don't have permission to change to the ${name} ${what}`)

export const invalidAuth = (): RpcError =>
  error(-32002, 'NotAllowed', 'There was a problem with authentication', {
    kind: 'Auth',
    details: { kind: 'InvalidAuth' },
  })

/** Without details. */
export const plainError = (kind: string, message: string): RpcError => error(-32000, kind, message)

export const queryFailed = (message: string): RpcError => error(-32000, 'Query', message)

export const transactionConflict = (message: string): RpcError =>
  encodeValue({
    cause: { cause: undefined, code: -32000, kind: 'Internal', message },
    code: -32009,
    details: { kind: 'TransactionConflict' },
    kind: 'Query',
    message: `There was a problem with the key-value store: ${message}`,
  })

export const tooManyTransactions = (): RpcError => invalidParams('Too many open transactions')

export const streamNeedsId = (): RpcError => invalidParams('The query_stream method requires a request id')

export const streamExists = (): RpcError =>
  invalidParams('A streaming query with this request id is already in progress')

export const tooManyStreams = (): RpcError => invalidParams('Too many concurrent streaming queries')

export const streamNotFound = (): RpcError => invalidParams('No streaming query with this request id is in progress')

export const streamNotNamed = (): RpcError => invalidParams('Expected the request id of the streaming query to cancel')

export const expressionTooDeep = (): RpcError =>
  error(-32000, 'Validation', 'Parse error: Exceeded expression recursion depth limit')
