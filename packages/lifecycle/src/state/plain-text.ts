/** A text that may be a part of a message: what a damaged or forged file says must not steer the terminal it is shown on. */
export function isPlainText(value: unknown): value is string {
  return typeof value === 'string' && !/\p{Cc}/u.test(value)
}
