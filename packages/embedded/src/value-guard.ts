import { type Token, Type } from 'cborg'
import { TAG } from './cbor.ts'

const MAX_SECONDS = 2n ** 64n - 1n
const NANOS_PER_SECOND = 1_000_000_000n

/**
 * Looks, token by token, for a value at which the engine panics, which ends the process. One is known, and it needs no
 * sign-in: a duration (tag 14, `[seconds, nanoseconds]`) whose nanoseconds carry its seconds past 64 bits. There are many ways
 * to write a number in CBOR, so a duration whose parts are not plain numbers counts as fatal too; nobody writes one.
 */
export class ValueGuard {
  fatal = false
  /** The parts of a duration that are still to come; `undefined`: no duration is being read. */
  #left: number | undefined
  #seconds: bigint | undefined
  #tagged = false

  look({ type, value }: Token): void {
    if (this.#left !== undefined) {
      if (type === Type.break) this.#left = undefined
      else if (type === Type.uint) this.#part(BigInt(value))
      else this.fatal = true
    } else if (this.#tagged) {
      this.#tagged = false
      this.#seconds = undefined
      if (type !== Type.array) this.fatal = true
      else this.#left = value === 0 ? undefined : value
    } else {
      this.#tagged = type === Type.tag && value === TAG.duration
    }
  }

  #part(value: bigint): void {
    if (this.#seconds === undefined) this.#seconds = value
    else if (this.#seconds + value / NANOS_PER_SECOND > MAX_SECONDS) this.fatal = true
    this.#left = this.#left === undefined || this.#left === 1 ? undefined : this.#left - 1
  }
}
