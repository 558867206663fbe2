import type { IncomingMessage } from 'node:http'

const LOCAL_NAMES: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]'])

export const FOREIGN_REQUEST =
  'This database serves programs of this machine: the Host, and the Origin if there is one, must be localhost or 127.0.0.1.\n'

/**
 * Does the request come from a program of this machine, or from a page that this machine serves itself?
 *
 * Any web page can make its visitor's browser send requests to 127.0.0.1. It cannot change two headers: `Origin` names the page,
 * and `Host` the name that the browser looked up, which shows a name that was rebound to 127.0.0.1. The real server looks at
 * neither. An opaque origin (`null`) may be any page.
 */
export function isLocalRequest({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  const { host, origin } = headers
  if (host === undefined || !LOCAL_NAMES.has(host.replace(/:\d+$/, '').toLowerCase())) return false
  return origin === undefined || isLocalOrigin(origin)
}

function isLocalOrigin(origin: string): boolean {
  const found = /^[a-z][a-z0-9+.-]*:\/\/([^/:]+|\[[0-9a-f:]+\])(:\d+)?$/i.exec(origin)
  return found?.[1] !== undefined && LOCAL_NAMES.has(found[1].toLowerCase())
}
