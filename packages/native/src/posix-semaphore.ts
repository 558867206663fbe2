import { BackendUnavailableError } from '@procref/core'
import type { NativeBinding } from './binding.ts'
import { kernelWaits } from './kernel-waits.ts'
import { loadBinding } from './load-binding.ts'
import { calling } from './native-error.ts'

export interface PosixSemaphoreOptions {
  /** How many permits it has, if it has to be made; that of an existing one cannot be told. */
  readonly permits: number
}

/**
 * A named POSIX semaphore (sem_overview(7)): a counter that processes share, not a pool of slots.
 *
 * **A permit belongs to nobody: those of a process that died are gone for good.** Whoever builds slots on it writes down who took a permit,
 * finds out who died, and calls `post()` once for each of their permits, from one process at a time.
 *
 * A name is `/` and up to 250 bytes without another `/` (macOS: up to 30). A semaphore that was made stays until `unlink()` or the next boot; a
 * container has its own ones. Not on Windows. What another user made is refused.
 */
export class PosixSemaphore implements Disposable {
  readonly name: string
  readonly #native: NativeBinding
  readonly #semaphore: number

  /** Opens the semaphore called `name`, making it (for this user alone) if there is none. */
  static open(name: string, { permits }: PosixSemaphoreOptions): PosixSemaphore {
    const native = binding()
    checkPermits(permits)
    return new PosixSemaphore(
      native,
      name,
      calling(name, () => native.posixSemaphoreOpen(name, permits)),
    )
  }

  /** Makes a semaphore; `EEXIST` when there is one of this name. Without a name it gets one that nobody can guess. */
  static create({ permits, name }: PosixSemaphoreOptions & { readonly name?: string }): PosixSemaphore {
    const native = binding()
    checkPermits(permits)
    const given = name ?? native.posixSemaphoreRandomName()
    return new PosixSemaphore(
      native,
      given,
      calling(given, () => native.posixSemaphoreCreate(given, permits)),
    )
  }

  /** Removes the name: whoever has the semaphore open keeps it, whoever opens the name next gets another one. False: there was none. */
  static unlink(name: string): boolean {
    const native = binding()
    return calling(name, () => native.posixSemaphoreUnlink(name))
  }

  private constructor(native: NativeBinding, name: string, semaphore: number) {
    this.#native = native
    this.name = name
    this.#semaphore = semaphore
  }

  /** Takes a permit, if there is one. Never waits. */
  tryWait(): boolean {
    return calling(this.name, () => this.#native.posixSemaphoreTryWait(this.#semaphore))
  }

  /**
   * Takes a permit, waiting in the kernel until there is one: `post()` wakes a waiter. Does not keep the process alive.
   *
   * Guarantee: rejects with the signal's reason having taken none; one that came in the same moment is given back. Unspecified: who among
   * several waiters gets a permit. Caller: each wait is a thread (some kilobytes). `close()` ends no wait, the signal does.
   */
  async wait({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const native = this.#native
    const start = (listener: number): number => native.posixSemaphoreStartWait(listener, this.#semaphore)
    await kernelWaits(native).run(this.name, start, signal)
  }

  /** Gives a permit back, or makes one up: nobody checks that it was taken. */
  post(): void {
    calling(this.name, () => this.#native.posixSemaphorePost(this.#semaphore))
  }

  /** How many permits there are; old by the time it is returned, so nothing may be decided by it. `ENOSYS` on macOS. */
  value(): number {
    return calling(this.name, () => this.#native.posixSemaphoreValue(this.#semaphore))
  }

  /** Gives no permit back. Idempotent. */
  close(): void {
    this.#native.posixSemaphoreClose(this.#semaphore)
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

type WithSemaphores = NativeBinding & Required<Pick<NativeBinding, 'posixSemaphoreOpen'>>

function binding(): WithSemaphores {
  const native = loadBinding('posix-semaphore')
  if (hasSemaphores(native)) return native
  throw new BackendUnavailableError('posix-semaphore', `${process.platform} has no POSIX semaphores`, 'Use native().')
}

function hasSemaphores(native: NativeBinding): native is WithSemaphores {
  return native.posixSemaphoreOpen !== undefined
}

function checkPermits(permits: number): void {
  if (Number.isInteger(permits) && permits >= 0 && permits < 2 ** 31) return
  throw new TypeError(`permits must be an integer from 0 to ${2 ** 31 - 1}, not ${String(permits)}`)
}
