import type { NativeBinding } from './binding.ts'
import { calling } from './native-error.ts'

/** Longer than any process lives: only that there is a timer matters. */
const LASTING_MS = 2 ** 31 - 1
const CALLED_OFF = -1

const known = new WeakMap<NativeBinding, KernelWaits>()

/** The waits of this thread's JavaScript that the kernel ends. */
export function kernelWaits(native: NativeBinding): KernelWaits {
  const waits = known.get(native) ?? new KernelWaits(native)
  known.set(native, waits)
  return waits
}

/**
 * Turns waits in the native code into promises. A wait does not keep the process alive; while it is being called off it does, or
 * the process could end before whoever called it off is told.
 *
 * Who waits for a promise of ours is reachable from the native code's listener, so no garbage collector ends a wait.
 */
class KernelWaits {
  readonly #native: NativeBinding
  readonly #ended = new Map<number, () => void>()
  #listener: number | undefined

  constructor(native: NativeBinding) {
    this.#native = native
  }

  /** What the wait that `start` starts brings, as `endWait()` says it. Rejects with the signal's reason, holding nothing. */
  async run(path: string, start: (listener: number) => number, signal: AbortSignal | undefined): Promise<number> {
    signal?.throwIfAborted()
    this.#listener ??= this.#native.listenForWaits((wait) => this.#ended.get(wait)?.())
    const listener = this.#listener
    const wait = calling(path, () => start(listener))
    let alive: NodeJS.Timeout | undefined
    const callOff = (): void => {
      alive = setTimeout(() => {}, LASTING_MS)
      this.#native.callOffWait(wait)
    }
    signal?.addEventListener('abort', callOff, { once: true })
    await new Promise<void>((resolve) => this.#ended.set(wait, resolve))
    this.#ended.delete(wait)
    // Nobody has to wait for that, and it takes longer than the outcome. Until then, calling off what has ended does nothing.
    setImmediate(() => {
      signal?.removeEventListener('abort', callOff)
      clearTimeout(alive)
    })
    if (signal?.aborted) {
      // What it waited for may have come first, and the signal before anybody here knew of it.
      this.#native.dropWait(wait)
      throw signal.reason
    }
    const outcome = calling(path, () => this.#native.endWait(wait))
    if (outcome === CALLED_OFF) throw new Error('a wait was called off, and nobody had asked for that')
    return outcome
  }
}

export type { KernelWaits }
