/** Resolves after `ms`; rejects with the signal's reason. `unref` lets the process end meanwhile. */
export function delay(
  ms: number,
  options: { readonly signal: AbortSignal; readonly timer: 'ref' | 'unref' },
): Promise<void> {
  const { signal } = options
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', aborted)
      resolve()
    }, ms)
    if (options.timer === 'unref') timer.unref()
    function aborted(): void {
      clearTimeout(timer)
      reject(signal.reason)
    }
    signal.addEventListener('abort', aborted, { once: true })
  })
}

/** Between half and all of `ms`: many who wait for the same thing must not come back together. */
export function jittered(ms: number): number {
  return ms * (0.5 + Math.random() / 2)
}
