import type { Endpoint } from '@procref/lifecycle'

/** What the official SDKs of all languages take. */
export function urlOf({ host, port }: Endpoint): string {
  return `ws://${host}:${port}/rpc`
}
