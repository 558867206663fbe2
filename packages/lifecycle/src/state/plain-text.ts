/** A text that may be a part of a message: what a damaged or forged file says must not steer the terminal it is shown on. */
export function isPlainText(value: unknown): value is string {
  return typeof value === 'string' && !/\p{Cc}/u.test(value)
}

/** As JSON for a message: what JSON leaves as it is of control characters (DEL and those from 0x80 to 0x9f) is written out as well. */
export function plainJson(value: unknown): string {
  return String(JSON.stringify(value)).replace(
    /\p{Cc}/gu,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
