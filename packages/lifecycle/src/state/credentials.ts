import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import type { Credentials } from '../driver.ts'
import { CredentialsMissingError, StateFileUnsafeError } from '../errors.ts'
import { createFileDurably, replaceFileDurably } from './atomic-file.ts'
import type { Layout } from './layout.ts'
import { newNonce } from './nonce.ts'
import { parseJson, readSmallFile } from './small-file.ts'

const USER = 'procref'

/**
 * The server's administrator. Throws `CredentialsMissingError` when the file is gone or damaged, `StateFileUnsafeError`
 * when others can read it or it belongs to somebody else.
 */
export function readCredentials(layout: Layout): Credentials {
  const found = look(layout)
  if (found.kind === 'usable') return found.credentials
  throw new CredentialsMissingError({ path: layout.credentialsJson, database: layout.database, found: found.reason })
}

/**
 * The server's administrator, made on the first call.
 *
 * Guarantee: made once, whoever calls at the same time; random, 0600, and safe from a power cut before it is returned. Never made
 * anew while the database directory has anything in it, because the database keeps the old password:
 * `CredentialsMissingError` then.
 * Caller: the data directory exists and is ours.
 */
export function ensureCredentials(layout: Layout): Credentials {
  const found = look(layout)
  if (found.kind === 'usable') return found.credentials
  if (!isEmptyOrMissing(layout.database)) {
    throw new CredentialsMissingError({ path: layout.credentialsJson, database: layout.database, found: found.reason })
  }
  // Hexadecimal: it survives every shell, URL and command line as it is.
  const credentials: Credentials = { user: USER, password: randomBytes(32).toString('hex') }
  const text = `${JSON.stringify(credentials)}\n`
  if (found.kind === 'missing') {
    if (!createFileDurably(layout.credentialsJson, text, newNonce())) return readCredentials(layout)
  } else {
    // Damaged, and no database knows it: nothing is lost.
    replaceFileDurably(layout.credentialsJson, text, newNonce())
  }
  return credentials
}

type Found =
  | { readonly kind: 'usable'; readonly credentials: Credentials }
  | { readonly kind: 'missing' | 'damaged'; readonly reason: string }

function look(layout: Layout): Found {
  const path = layout.credentialsJson
  const file = readSmallFile(path)
  if (file.kind === 'missing') return { kind: 'missing', reason: 'is missing' }
  if (file.kind === 'unusable') return { kind: 'damaged', reason: file.reason }
  if (file.exposed) {
    throw new StateFileUnsafeError(path, 'can be read by others', `Run: chmod 600 ${path}`)
  }
  const value = parseJson(file.text)
  if (isCredentials(value)) return { kind: 'usable', credentials: { user: value.user, password: value.password } }
  return { kind: 'damaged', reason: file.text === '' ? 'is empty' : 'is damaged' }
}

function isCredentials(value: unknown): value is Credentials {
  if (typeof value !== 'object' || value === null) return false
  const { user, password } = value as Record<string, unknown>
  return typeof user === 'string' && user !== '' && typeof password === 'string' && password !== ''
}

function isEmptyOrMissing(dir: string): boolean {
  try {
    return readdirSync(dir).length === 0
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') return true
    // A file in its place is something of somebody's, too.
    if (code === 'ENOTDIR') return false
    throw error
  }
}
