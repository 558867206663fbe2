/** Whatever is not blocked has finished by then. Too short can miss a fault but never fails a good build. */
export const QUIET_MS = 50

/** Beyond any honest delay on a busy machine: reaching it means "hangs". */
export const HANGS_MS = 30_000

/** Checks that `pending` is still waiting; call the result to check that it then finishes. */
export async function mustBlock<T>(what: string, pending: Promise<T>): Promise<() => Promise<T>> {
  const early = await Promise.race([pending.then(() => true), delay(QUIET_MS).then(() => false)])
  if (early) throw new Error(`${what} did not block`)
  return () => within(`${what}, which had blocked,`, pending)
}

/** `pending`, or an error that says what hangs. What it was waiting for goes on by itself. */
export async function within<T>(what: string, pending: Promise<T>, limitMs: number = HANGS_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not happen within ${limitMs} ms`)), limitMs)
  })
  try {
    return await Promise.race([pending, late])
  } finally {
    clearTimeout(timer)
  }
}

/** What `eventually` takes for "not yet". */
export type NotYet = undefined | null | false

/**
 * Looks again and again until `look` answers something, and returns that. For what nobody announces: another process's
 * lock, a file, a table of the kernel. An error of `look` ends the wait at once.
 */
export async function eventually<T>(
  what: string,
  look: () => T | NotYet | Promise<T | NotYet>,
  limitMs: number = HANGS_MS,
): Promise<T> {
  const deadline = performance.now() + limitMs
  let pauseMs = 2
  for (;;) {
    const seen = await look()
    if (seen !== undefined && seen !== null && seen !== false) return seen
    if (performance.now() > deadline) throw new Error(`${what}: not seen within ${limitMs} ms`)
    await delay(pauseMs)
    pauseMs = Math.min(pauseMs * 1.5, 100)
  }
}

/** Calls `check` for `ms`, at least twice; it throws when what it checks is true no more. For what must NOT happen by itself. */
export async function staysTrue(ms: number, check: () => unknown): Promise<void> {
  const end = performance.now() + ms
  await check()
  do {
    await delay(QUIET_MS)
    await check()
  } while (performance.now() < end)
}

/** Only the functions above let time pass; a test that needs this is waiting for an event it has not found. */
function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
