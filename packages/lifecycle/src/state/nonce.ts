import { randomBytes } from 'node:crypto'

const NONCE = /^[0-9a-f]{32}$/

/** A name for one life of a guardian (or one call) that nobody else has: 128 random bits in hexadecimal. */
export function newNonce(): string {
  return randomBytes(16).toString('hex')
}

/** Nonces become parts of file names, so nothing else that was read from a file may pass for one. */
export function isNonce(value: unknown): value is string {
  return typeof value === 'string' && NONCE.test(value)
}
