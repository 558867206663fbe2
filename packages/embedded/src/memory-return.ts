import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** So many bytes of large messages are worth a collection. */
const WORTH_BYTES = 32 * 1024 * 1024
/** What is smaller is collected with the young objects, which happens by itself. */
const LARGE_BYTES = 64 * 1024
/** So long nothing large passes before it is time. */
const QUIET_MS = 1_000

/**
 * Gives memory back after large messages. V8 collects while it allocates and not while it is idle: a server that has answered a query
 * of 100 MB and then has little to do would keep that message, and its copy for the engine, for hours.
 *
 * Guarantee: at most one collection a second, some ten milliseconds long, and none while large messages keep coming.
 */
export class MemoryReturn {
  #passed = 0
  #timer: NodeJS.Timeout | undefined
  #collect: (() => void) | undefined

  /** So many bytes were in one piece of memory, and are not needed any more. */
  passed(bytes: number): void {
    if (bytes < LARGE_BYTES) return
    this.#passed += bytes
    if (this.#passed < WORTH_BYTES) return
    // A database that is about to end does not wait for it.
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.#return(), QUIET_MS).unref()
    else this.#timer.refresh()
  }

  #return(): void {
    this.#timer = undefined
    this.#passed = 0
    this.#collect ??= collector()
    this.#collect()
  }
}

/** V8's own, which Node shows only to who asks for it. A V8 without it keeps the memory until it needs some. */
function collector(): () => void {
  setFlagsFromString('--expose-gc')
  const found: unknown = runInNewContext('typeof gc === "function" ? gc : undefined')
  setFlagsFromString('--no-expose-gc')
  return typeof found === 'function' ? () => found() : () => {}
}
