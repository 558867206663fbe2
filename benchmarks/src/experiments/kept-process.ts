import { setTimeout as delay } from 'node:timers/promises'
import { identify, isProvenDead, isSameProcess, type ProcessIdentity } from '@procref/core'

const LOOK_MS = 5

/** A process that an actor started and that may outlive it; ended, by its proven identity, when disposed. */
export class KeptProcess implements AsyncDisposable {
  readonly #identity: ProcessIdentity

  /** Throws when nobody has this pid. */
  constructor(pid: number) {
    const identity = identify(pid)
    if (identity === undefined) throw new Error(`the started process ${pid} is not there`)
    this.#identity = identity
  }

  get isAlive(): boolean {
    return isSameProcess(this.#identity)
  }

  /** Resolves once it is gone (a zombie is). */
  async end(): Promise<void> {
    if (this.isAlive) process.kill(this.#identity.pid, 'SIGKILL')
    while (!isProvenDead(this.#identity)) await delay(LOOK_MS)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end()
  }
}
