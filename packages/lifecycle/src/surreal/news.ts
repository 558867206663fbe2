/** What there is to tell, and what is told of it. */
interface Told {
  readonly dropped: Error
  readonly connected: undefined
  readonly ended: Error | undefined
}

/** What happens to the connection, for whoever wants to know. */
export class News {
  readonly #listeners = new Map<(news: never) => void, keyof Told>()
  #over: { readonly error: Error | undefined } | undefined
  /** What the SDK reported in this very moment: it reports why the session could not be restored, and closes the engine. */
  lastError: Error | undefined

  on<K extends keyof Told>(event: K, listener: (news: Told[K]) => void): () => void {
    const own = (news: Told[K]): void => listener(news)
    this.#listeners.set(own, event)
    return () => void this.#listeners.delete(own)
  }

  tell<K extends keyof Told>(event: K, news: Told[K]): void {
    if (event === 'ended') this.#over = { error: news }
    for (const [listener, wanted] of this.#listeners) if (wanted === event) listener(news as never)
  }

  remember(error: Error): void {
    this.lastError = error
    queueMicrotask(() => {
      if (this.lastError === error) this.lastError = undefined
    })
  }

  /** Rejects when the connection is over, unless `unless` comes first. */
  ended(unless: AbortSignal): Promise<never> {
    return new Promise((_resolve, reject) => {
      const ended = (error: Error | undefined): void => reject(error ?? new Error('the connection was closed'))
      if (this.#over !== undefined) return ended(this.#over.error)
      unless.addEventListener('abort', this.on('ended', ended), { once: true })
    })
  }
}
