/**
 * Replaces a guardian that runs, and so its server, by one with the code of this process, while leases go on. It is what SIGTERM to
 * the guardian is, with two differences: the record says `restarting`, so that the configuration is kept, and nobody else launches the
 * next guardian meanwhile, because this process has `start.lock`. Either is only a hint: whoever is killed at any step, the clients
 * find no guardian, launch one (at once, for a dead process holds no lock), and their leases go on.
 *
 *   OK:    slot  →  start.lock  →  request  →  the guardian's alive lock is free  →  launch  →  start.lock released  →  `serving`
 *   WRONG: start.lock after the request: a client may be faster than we are, and its code may be as old as the guardian's.
 *   WRONG: launch, then ask: only one guardian is elected, so the new one would leave as the loser.
 *   WRONG: no slot: with nobody else there the new guardian may be gone before it was looked at, and be launched again.
 */
import { type FileLock, processState, type SlotBackend, type SlotPool } from '@procref/core'
import { awaitServing, type WaitContext } from './client/await-serving.ts'
import { checkProtocol } from './client/check-protocol.ts'
import { guardianProgramOf } from './client/guardian-program.ts'
import { herdPatienceMs, Launcher } from './client/launcher.ts'
import { hasEnded, look, probeAlive, type View } from './client/look.ts'
import { pause } from './delay.ts'
import type { ServerDriver } from './driver.ts'
import { RestartTimeoutError } from './errors.ts'
import { isStopped, standstill } from './identity/standstill.ts'
import { inspect } from './inspect.ts'
import { openSlots } from './open-slots.ts'
import { checkEngine, readEngineRecord } from './state/engine-record.ts'
import { type Layout, layout } from './state/layout.ts'
import { RESTART_PROTOCOL } from './state/protocols.ts'
import { type RestartRequest, withdrawRequest, writeRequest } from './state/request-file.ts'
import type { ServerRecord } from './state/server-record.ts'

const ROUND_MS = 50
/** A start that is under way is finished first (120 s), then the server is stopped in its phases. */
const DEFAULT_TIMEOUT_MS = 180_000
/** A guardian that has been stopped (SIGSTOP) this long will not go on by itself. */
const STANDSTILL_MS = 10_000

export interface RestartOptions {
  readonly dir: string
  /** The kind of backend that the guardian has now. */
  readonly backend: SlotBackend
  /** The driver that serves now, with its settings; its code is the caller's. */
  readonly driver: ServerDriver
  readonly signal?: AbortSignal
  /** For each half: until the old guardian is gone, and until the new server is up. Default 180,000. */
  readonly timeoutMs?: number
  /** What starts Node for the guardian where `process.execPath` cannot: `[file, ...args]`. */
  readonly guardianCommand?: readonly [string, ...string[]]
  /** As `connect()` takes it: the file that Node runs for the guardian of a program that is bundled. */
  readonly guardianProgram?: string | URL
  /** Told, at each look, what is being waited for. */
  readonly onProgress?: (message: string) => void
}

export type RestartOutcome =
  /** Nobody serves the directory and nobody wants to; or it was stopped on request meanwhile. */
  | { readonly kind: 'nothing-runs' }
  | { readonly kind: 'restarted'; readonly before: ServerRecord; readonly after: ServerRecord }

/**
 * Asks the guardian to stop its server in order and to leave, launches the next one from this process's own code, and waits until its
 * server is up: same port, next epoch, same configuration. What would keep it from starting is found out before anything is stopped,
 * as far as that is possible.
 *
 * Guarantee: leases that are held go on (`onReconnect` fires, `lost` does not), also when this process, or either guardian, is killed.
 * Unspecified: whose code the next guardian has if this process or its guardian is killed, or somebody has held `start.lock` for 10 to 20 s.
 * Throws `OlderProtocolError` when the guardian does not know the request, `RestartTimeoutError` when it does not act on it (with the request
 * withdrawn), what keeps the next server from starting, and the signal's reason.
 */
export async function requestRestart(options: RestartOptions): Promise<RestartOutcome> {
  const { backend, driver } = options
  const paths = layout(options.dir)
  const seen = await inspect(options.dir, backend)
  const before = seen.record
  if (before === undefined) return { kind: 'nothing-runs' }
  if (seen.guardian === 'absent' && (seen.holders.length === 0 || hasEnded(before))) return { kind: 'nothing-runs' }
  if (seen.guardian !== 'absent') checkProtocol(before, paths.root, RESTART_PROTOCOL)
  await checkNextStart(driver, paths)
  const pool = await holdSlot(backend, paths, before)
  try {
    return await restart(options, paths)
  } finally {
    await pool.close()
  }
}

async function restart(options: RestartOptions, paths: Layout): Promise<RestartOutcome> {
  const { backend, signal } = options
  const startLock = await takeStartLock(options, paths)
  let before: View
  try {
    // Another restart may have been at it until now.
    before = look(backend.locks, paths)
    if (before.record === undefined) return { kind: 'nothing-runs' }
    if (before.guardian !== 'absent') await makeWay(options, paths, before.record)
    const left = look(backend.locks, paths).record
    if (left?.nonce === before.record.nonce && left.by === 'request') return { kind: 'nothing-runs' }
    await launchNext(contextOf(options, paths, before.record))
  } finally {
    startLock?.release()
  }
  signal?.throwIfAborted()
  const after = await awaitServing(contextOf(options, paths, before.record), before)
  return { kind: 'restarted', before: before.record, after }
}

/** What the guardian would find before it launches the server: found here while the old one still serves. */
async function checkNextStart(driver: ServerDriver, paths: Layout): Promise<void> {
  await driver.check?.()
  const engine = driver.durable ? await driver.engine?.() : undefined
  if (engine !== undefined) checkEngine(readEngineRecord(paths.engineJson), engine, paths.engineJson)
}

/** In a full pool there are enough others that keep the next guardian from leaving. */
async function holdSlot(backend: SlotBackend, paths: Layout, { settings }: ServerRecord): Promise<SlotPool> {
  const { allowUnsafeFilesystem } = settings
  const pool = await openSlots(backend, paths.slots, settings.slots, {
    label: LABEL,
    ...(allowUnsafeFilesystem !== undefined && { allowUnsafeFilesystem }),
  })
  try {
    await pool.tryClaim()
    return pool
  } catch (error) {
    await pool.close()
    throw error
  }
}

const LABEL = 'procref restart'

/** `undefined`: somebody has held it for longer than anybody waits for it. */
async function takeStartLock(options: RestartOptions, paths: Layout): Promise<FileLock | undefined> {
  const { backend, signal, onProgress } = options
  const giveUpAt = performance.now() + herdPatienceMs()
  for (;;) {
    const lock = backend.locks.tryLock(paths.startLock)
    if (lock?.isCurrent()) return lock
    lock?.release()
    if (performance.now() >= giveUpAt) return undefined
    onProgress?.('waiting for another program, which starts or restarts the server')
    await pause(ROUND_MS, signal)
  }
}

/** Resolves once the guardian that wrote the record is gone. */
async function makeWay(options: RestartOptions, paths: Layout, record: ServerRecord): Promise<void> {
  checkProtocol(record, paths.root, RESTART_PROTOCOL)
  const { nonce, guardian } = record
  const request: RestartRequest = { kind: 'restart', nonce, by: process.pid, at: new Date().toISOString() }
  const began = performance.now()
  const giveUpAt = began + (options.timeoutMs ?? DEFAULT_TIMEOUT_MS)
  let standsSince: number | undefined
  writeRequest(paths.requestJson, request)
  try {
    while (probeAlive(options.backend.locks, paths.aliveLock(nonce)) !== 'absent') {
      const now = performance.now()
      standsSince = isStopped(processState(guardian)) ? (standsSince ?? now) : undefined
      if (now > giveUpAt || (standsSince !== undefined && now - standsSince > STANDSTILL_MS)) {
        throw timedOut(options, paths, request, record, now - began)
      }
      options.onProgress?.(`waiting for the guardian (pid ${guardian.pid}) to stop the server and leave`)
      await pause(ROUND_MS, options.signal)
    }
  } catch (error) {
    // Whoever calls it off does not want it later either.
    withdrawRequest(paths.requestJson, request)
    throw error
  }
}

function timedOut(
  options: RestartOptions,
  paths: Layout,
  request: RestartRequest,
  asked: ServerRecord,
  waitedMs: number,
): RestartTimeoutError {
  const withdrawn = withdrawRequest(paths.requestJson, request)
  const { record } = look(options.backend.locks, paths)
  const stands = standstill(asked.guardian)
  return new RestartTimeoutError({
    dir: paths.root,
    guardianPid: asked.guardian.pid,
    state: record?.nonce === asked.nonce ? record.state : asked.state,
    waitedMs: Math.round(waitedMs),
    withdrawn,
    ...(stands !== undefined && { standstill: stands }),
  })
}

/** Resolves when a guardian is there, ours unless somebody was faster; or when there is no time left, which whoever waits next says. */
async function launchNext(context: WaitContext): Promise<void> {
  const launcher = new Launcher(context)
  while (performance.now() < context.deadline && !(await launcher.launch())) {
    if (look(context.backend.locks, context.paths).guardian !== 'absent') return
  }
}

function contextOf(options: RestartOptions, paths: Layout, { settings }: ServerRecord): WaitContext {
  const { backend, driver, guardianCommand, onProgress } = options
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
  return {
    paths,
    backend,
    driver,
    settings,
    label: LABEL,
    guardianCommand,
    guardianProgram: guardianProgramOf(options),
    timeoutMs,
    deadline: performance.now() + timeoutMs,
    signal: options.signal ?? new AbortController().signal,
    keepAlive: 'keep-alive',
    progress: (_step, message) => onProgress?.(message),
  }
}
