/** A signal that follows others until it is disposed. */
export interface LinkedSignal extends Disposable {
  readonly signal: AbortSignal
}

/**
 * A signal that is aborted when either is. Not `AbortSignal.any`: that leaves something behind on `lasting` each time it is
 * called, for as long as `lasting` lives.
 */
export function linkSignals(lasting: AbortSignal, other: AbortSignal | undefined): LinkedSignal {
  if (other === undefined) return { signal: lasting, [Symbol.dispose]: () => {} }
  const controller = new AbortController()
  const follow = (): void => controller.abort(lasting.aborted ? lasting.reason : other.reason)
  if (lasting.aborted || other.aborted) follow()
  lasting.addEventListener('abort', follow)
  other.addEventListener('abort', follow)
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      lasting.removeEventListener('abort', follow)
      other.removeEventListener('abort', follow)
    },
  }
}
