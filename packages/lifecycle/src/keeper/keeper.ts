/**
 * The keeper: a detached process that has a lease and no use for it, so that the server stays up on purpose
 * (`procref start`). One per directory, by `keeper.lock`, which it holds until it ends; its slot is an ordinary one, so
 * the guardian knows nothing of it. Without a connection and without the SDK it is as small as a Node process can be.
 */
import { type FileLock, type FileLocker, rebuildFromDescriptor, type SlotBackend, secureDirectory } from '@procref/core'
import { probeAlive } from '../client/look.ts'
import { sharedService } from '../client/shared-service.ts'
import { pause } from '../delay.ts'
import type { ServerDriver } from '../driver.ts'
import { KeeperLaunchError } from '../errors.ts'
import { layout } from '../state/layout.ts'
import { writeKeeperRecord } from './keeper-file.ts'
import type { KeeperSetup, KeeperStatus } from './setup.ts'

/** Only probers can refuse the lock without holding it, and each for microseconds. */
const PROBED_FOR_MS = 10_000
const RETRY_MS = 20
/** Longer than any timer keeps Node awake without work. */
const IDLE_MS = 3_600_000

/**
 * Lives a keeper's life: until `told`, or until the lease is lost. `report` is called at most once, and answers whether
 * somebody heard it: a start that was interrupted keeps nothing up.
 */
export async function runKeeper(
  setup: KeeperSetup,
  told: AbortSignal,
  report: (status: KeeperStatus) => boolean,
): Promise<void> {
  const { dir, backend: backendDescriptor, driver: driverDescriptor, ...options } = setup
  const backend = await rebuildFromDescriptor<SlotBackend>(backendDescriptor)
  const driver = await rebuildFromDescriptor<ServerDriver>(driverDescriptor)
  const paths = layout(dir)
  secureDirectory(paths.root)
  const lock = await takeLock(backend.locks, paths.keeperLock)
  if (lock === undefined) {
    report({ kind: 'already-kept' })
    return
  }
  writeKeeperRecord(paths.keeperLock)
  await using lease = await sharedService({ ...options, dir, backend, driver, signal: told })
  if (!report({ kind: 'kept' })) return
  await either(told, lease.lost)
  if (lease.lost.aborted) process.stderr.write(`procref keeper ${process.pid}: ${String(lease.lost.reason)}\n`)
}

/** `undefined`: proven to be held by another keeper. */
async function takeLock(locks: FileLocker, path: string): Promise<FileLock | undefined> {
  const giveUpAt = performance.now() + PROBED_FOR_MS
  for (;;) {
    const lock = locks.tryLock(path)
    if (lock?.isCurrent()) return lock
    lock?.release()
    if (lock === undefined && probeAlive(locks, path) === 'alive') return undefined
    if (performance.now() >= giveUpAt) {
      throw new KeeperLaunchError({ reason: `other programs look at ${path} all the time`, remedy: 'Try again.' })
    }
    await pause(RETRY_MS)
  }
}

function either(a: AbortSignal, b: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    // Nothing else keeps this process: a lease does not, nor do signal handlers.
    const timer = setInterval(() => {}, IDLE_MS)
    const end = (): void => {
      clearInterval(timer)
      resolve()
    }
    const both = AbortSignal.any([a, b])
    if (both.aborted) end()
    else both.addEventListener('abort', end, { once: true })
  })
}
