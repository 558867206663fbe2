import { isIP } from 'node:net'

/** To which of them SurrealDB's WebSocket belongs. */
const WEBSOCKET: Readonly<Record<string, 'ws:' | 'wss:'>> = {
  'ws:': 'ws:',
  'http:': 'ws:',
  'wss:': 'wss:',
  'https:': 'wss:',
}

/**
 * The address of the WebSocket of the SurrealDB that is meant: `https://db.example.com` is `wss://db.example.com/rpc`.
 *
 * Throws `TypeError` for what is no such address, what has a user or a password in it (addresses end up in logs), and what would send
 * the password unencrypted to another machine, unless `allowPlaintext`. No message has a part of the address in it that could be secret.
 */
export function externalUrl(given: string | URL, allowPlaintext: boolean): URL {
  const url = parse(given)
  const protocol = WEBSOCKET[url.protocol]
  if (protocol === undefined) {
    // What stands before the colon may be the user of an address without a scheme.
    throw new TypeError('url: the address has to begin with wss://, https://, ws:// or http://')
  }
  if (url.username !== '' || url.password !== '') {
    throw new TypeError(
      `url: there is a user or a password in the address of ${url.host}; take it out and give it as \`credentials: { user, password }\``,
    )
  }
  if (url.search !== '' || url.hash !== '') {
    throw new TypeError(`url: nothing may stand behind the path of ${url.origin}${url.pathname}, no ? and no #`)
  }
  if (protocol === 'ws:' && !allowPlaintext && !isLoopback(url.hostname)) {
    throw new TypeError(
      `url: ${url.protocol}//${url.host} is another machine, to which the password would go unencrypted; use wss:// or https://, or, in a ` +
        'network that you trust, set `allowPlaintext: true`',
    )
  }
  const path = url.pathname.replace(/\/+$/, '')
  return new URL(`${protocol}//${url.host}${path.endsWith('/rpc') ? path : `${path}/rpc`}`)
}

/** The parser's own error has the whole text in it, and `user:password@host` without a scheme is no URL. */
function parse(given: string | URL): URL {
  if (typeof given === 'string' && !URL.canParse(given)) {
    throw new TypeError('url: this is not an address such as wss://db.example.com:8000')
  }
  return new URL(given)
}

function isLoopback(hostname: string): boolean {
  const address = hostname.replace(/^\[|\]$/g, '')
  return address === 'localhost' || address === '::1' || (isIP(address) === 4 && address.startsWith('127.'))
}
