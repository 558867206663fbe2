import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import type { FileLocker, SlotBackend } from '@procref/core'
import type { ServerDriver } from '../driver.ts'
import { lockUntil } from '../guardian/election.ts'
import { type Layout, layout } from '../state/layout.ts'
import { connectHttp, type SurrealHttp } from '../surreal/connect-http.ts'

/** A guardian stops its server in its phases (25 s), and one that was killed lets go within that. */
const LEAVES_MS = 60_000

export interface TemporaryService {
  readonly dir: string
  readonly backend: SlotBackend
  readonly driver: ServerDriver
  /** For people. */
  readonly label: string
  readonly signal: AbortSignal | undefined
}

/**
 * Serves `dir`, an ordinary directory that is there only for this, while `act` runs.
 *
 * Guarantee: when it settles nothing runs in the directory any more. If this process is killed the server stops by itself.
 * Rejects with what kept the server from starting, without calling `act`, and with what `act` rejects with.
 */
export async function whileServing<T>(
  { dir, backend, driver, label, signal }: TemporaryService,
  act: (http: SurrealHttp) => Promise<T>,
): Promise<T> {
  try {
    await using http = await connectHttp({
      ...{ dir, backend, driver, label, lingerMs: 0, slots: 4 },
      ...(signal !== undefined && { signal }),
    })
    return await act(http)
  } finally {
    await ended(backend.locks, layout(dir))
  }
}

/** Resolves once no guardian and no server of the directory is left, also of one that was left by a process that was killed. */
export async function ended(locks: FileLocker, paths: Layout): Promise<void> {
  const deadline = performance.now() + LEAVES_MS
  for (const path of [paths.guardianLock, paths.serverLock]) {
    if (!existsSync(dirname(path))) continue
    const lock = await lockUntil(locks, path, deadline)
    if (lock === undefined) throw new Error(`${path} is still held after ${LEAVES_MS} ms`)
    lock.release()
  }
}
