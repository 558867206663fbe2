/** `pending`, or the signal's reason; what `pending` waits for goes on by itself. Leaves no listener behind. */
export async function unlessAborted<T>(pending: T | PromiseLike<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  let aborted = (): void => {}
  const given = new Promise<never>((_, reject) => {
    aborted = () => reject(signal.reason)
    signal.addEventListener('abort', aborted)
  })
  try {
    return await Promise.race([pending, given])
  } finally {
    signal.removeEventListener('abort', aborted)
  }
}
