import { CBOR_TYPE, JSON_TYPE } from './http-answer.ts'

/** The forms of an answer that the real server knows by name; `unknown`: none of them. */
export type Form = 'json' | 'cbor' | 'text' | 'bytes' | 'flatbuffers' | 'unknown'

const FORMS: ReadonlyMap<string, Form> = new Map([
  [JSON_TYPE, 'json'],
  ['*/*', 'json'],
  [CBOR_TYPE, 'cbor'],
  ['text/plain', 'text'],
  ['application/octet-stream', 'bytes'],
  ['application/vnd.surrealdb.flatbuffers', 'flatbuffers'],
])

/** What a header `Accept` or `Content-Type` asks for. Nothing but its first part counts, as with the real server. */
export function formOf(header: string | undefined): Form | undefined {
  if (header === undefined) return undefined
  return FORMS.get(header.replace(/;.*$/s, '')) ?? 'unknown'
}
