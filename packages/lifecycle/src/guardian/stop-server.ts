import type { RunningServer, ServerEnd } from '../driver.ts'

/** Between asking, asking again, and ending it without asking. */
export interface StopGrace {
  readonly firstMs: number
  readonly secondMs: number
}

export const DEFAULT_GRACE: StopGrace = { firstMs: 10_000, secondMs: 5_000 }

/**
 * Stops a server in two phases: ask, wait, ask to hurry, wait, end it. Resolves with how it ended; a server inside the
 * guardian that does not end resolves `undefined`, and the guardian's exit ends it.
 */
export async function stopServer(
  server: RunningServer,
  grace: StopGrace = DEFAULT_GRACE,
): Promise<ServerEnd | undefined> {
  server.terminate()
  const first = await within(server.ended, grace.firstMs)
  if (first !== undefined) return first
  server.terminate()
  const second = await within(server.ended, grace.secondMs)
  if (second !== undefined) return second
  server.kill()
  return await within(server.ended, grace.firstMs)
}

async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
