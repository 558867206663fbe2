/** Keeps what has arrived of a message whose end has not. */
export interface Receiver {
  /** Throws it away, and takes no more. */
  giveUp(): void
}

/**
 * Bounds what all clients together make us keep of messages that have not arrived in full. Whoever sends part of one and stops could fill
 * the memory otherwise, with a few connections. When it is too much the receiver that has heard nothing for the longest gives up: a
 * client that is sending gets on.
 */
export class UnfinishedMessages {
  readonly #mostBytes: number
  /** The one that has heard nothing for the longest first. */
  readonly #bytes = new Map<Receiver, number>()
  #total = 0

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes
  }

  /** So many bytes more have arrived. May tell any receiver to give up, this one too. */
  arrived(receiver: Receiver, bytes: number): void {
    const before = this.#bytes.get(receiver) ?? 0
    this.#bytes.delete(receiver)
    this.#bytes.set(receiver, before + bytes)
    this.#total += bytes
    while (this.#total > this.#mostBytes) {
      const [silent = receiver] = this.#bytes.keys()
      this.ended(silent)
      silent.giveUp()
    }
  }

  /** The message is complete, or nobody waits for the rest of it any more. */
  ended(receiver: Receiver): void {
    this.#total -= this.#bytes.get(receiver) ?? 0
    this.#bytes.delete(receiver)
  }
}
