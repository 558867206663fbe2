import type { IncomingHttpHeaders } from 'node:http'
import { uuidFromAnyText } from './cbor.ts'

/** What a client calls its connection or request, by the header `surreal-id`; `no UUID`: what it may not be called. */
export function connectionId(headers: IncomingHttpHeaders): string | undefined | 'no UUID' {
  const { 'surreal-id': id } = headers
  return id === undefined ? undefined : (uuidFromAnyText(String(id)) ?? 'no UUID')
}
