import { createHmac, type KeyObject, sign } from 'node:crypto'

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A token with these claims, signed with a key that an access was defined with; `none`: not at all. */
export function jsonWebToken(
  claims: object,
  { alg = 'HS512', key }: { readonly alg?: 'HS256' | 'HS512' | 'EdDSA' | 'none'; readonly key: string | KeyObject },
): string {
  const signed = `${part({ alg, typ: 'JWT' })}.${part(claims)}`
  return `${signed}.${signature(alg, signed, key)}`
}

function signature(alg: string, signed: string, key: string | KeyObject): string {
  if (alg === 'none') return ''
  if (typeof key !== 'string') return sign(null, Buffer.from(signed), key).toString('base64url')
  return createHmac(alg === 'HS256' ? 'sha256' : 'sha512', key)
    .update(signed)
    .digest('base64url')
}
