import { ExternalNotSurrealError, ExternalTlsError } from './errors.ts'

/** What Node and OpenSSL call a handshake that will fail next time as well. */
const TLS =
  /^(EPROTO|ERR_TLS_\w+|ERR_SSL_\w+|CERT_\w+|CRL_\w+|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|INVALID_\w+|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH)$/

/** What `ws` says of an answer that is none of a SurrealDB: it has no codes for these. */
const NOT_SURREAL =
  /^(Unexpected server response: \d+|Server sent (no|an invalid) subprotocol|Invalid (Sec-WebSocket-Accept|Upgrade) header)/

/**
 * The error that says why another attempt would come to the same; `undefined`: it may not. A server that is not there, does not answer,
 * or is just starting behind a proxy (429 and 5xx) is tried again.
 */
export function finalFailure(url: string, error: unknown): Error | undefined {
  const { message, code: given } = error as Error & { readonly code?: unknown }
  // Those of a DOMException (the time is over) are numbers.
  const code = typeof given === 'string' ? given : undefined
  const options = { cause: error }
  if (code !== undefined && TLS.test(code)) {
    return new ExternalTlsError({ url, reason: code, explanation: oneLine(message) }, options)
  }
  if (code?.startsWith('HPE_') !== true && !NOT_SURREAL.test(message)) return undefined
  const [, status] = /response: (\d+)/.exec(message) ?? []
  if (status === '429' || status?.startsWith('5') === true) return undefined
  return new ExternalNotSurrealError({ url, reason: oneLine(message) }, options)
}

/** OpenSSL's messages have line breaks in them. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}
