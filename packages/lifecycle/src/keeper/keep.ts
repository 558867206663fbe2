import { type SlotBackend, secureDirectory } from '@procref/core'
import { DEFAULT_TIMEOUT_MS } from '../client/shared-service.ts'
import { pause } from '../delay.ts'
import { launchDetached } from '../detached/launch.ts'
import type { ServerDriver } from '../driver.ts'
import { KeeperLaunchError, KeeperUnreachableError } from '../errors.ts'
import { signalSame } from '../identity/signal.ts'
import { layout } from '../state/layout.ts'
import { lookAtKeeper } from './keeper-file.ts'
import type { KeeperLeaseOptions, KeeperSetup, KeeperStatus } from './setup.ts'

/** A keeper that is told to end has only a slot to give back. */
const TERM_MS = 5_000
const KILL_MS = 5_000
const LOOK_AGAIN_MS = 20

export interface KeepOptions extends KeeperLeaseOptions {
  readonly dir: string
  readonly backend: SlotBackend
  readonly driver: ServerDriver
  /** For people: the label of the keeper's slot. */
  readonly label: string
  readonly signal?: AbortSignal
}

/**
 * Keeps the server of a directory up until `endKeeper`, by a detached process that holds a slot and belongs to nobody.
 *
 * Guarantee: after `kept` the server is up. `already-kept`: another keeper is there, whose server may still be starting.
 * Rejects as `sharedService`, and with `KeeperLaunchError`; then no keeper was left behind.
 */
export async function keepServer(options: KeepOptions): Promise<KeeperStatus['kind']> {
  const { dir, backend, driver, signal, ...rest } = options
  const paths = layout(dir)
  secureDirectory(paths.root)
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
  const setup: KeeperSetup = {
    ...rest,
    dir: paths.root,
    backend: backend.descriptor,
    driver: driver.descriptor,
  }
  const status = await launchDetached<KeeperStatus>({
    program: '../keeper/main.js',
    remedyInBundle: 'Keep @procref/lifecycle out of the bundle, and installed.',
    setup,
    env: { PROCREF_KEEPER: '1' },
    serverLog: paths.serverLog,
    // Its own deadline comes first, with a better message than ours.
    timeoutMs: timeoutMs + 30_000,
    Failure: KeeperLaunchError,
    ...(signal !== undefined && { signal }),
  })
  return status.kind
}

/**
 * Ends the keeper of a directory: TERM, then KILL, each only to the proven process.
 *
 * Guarantee: after it resolved no keeper holds the lock or a slot. Throws `KeeperUnreachableError` when there is one that
 * cannot be recognised (another container), or does not end.
 */
export async function endKeeper(dir: string, backend: SlotBackend): Promise<'ended' | 'none'> {
  const path = layout(dir).keeperLock
  let outcome: 'ended' | 'none' = 'none'
  const termUntil = performance.now() + TERM_MS
  const killUntil = termUntil + KILL_MS
  for (let signalled: NodeJS.Signals | undefined; ; await pause(LOOK_AGAIN_MS)) {
    const { held, identity } = lookAtKeeper(backend.locks, path)
    if (!held) return outcome
    const now = performance.now()
    if (now > killUntil) throw unreachable(path, identity?.pid, signalled)
    const signal = now > termUntil ? 'SIGKILL' : 'SIGTERM'
    // Not yet written, or the record of an earlier keeper: look again until it is the holder's.
    if (identity === undefined || signal === signalled) continue
    if (signalSame(identity, signal, backend.processes)) {
      signalled = signal
      outcome = 'ended'
    }
  }
}

function unreachable(path: string, pid: number | undefined, signalled: NodeJS.Signals | undefined): Error {
  const reason =
    signalled === undefined ? 'cannot be recognised from here' : `did not end although it was sent ${signalled}`
  return new KeeperUnreachableError({ path, pid, reason })
}
