import { watch } from 'node:fs'
import { identifySelf, type SlotBackend } from '@procref/core'
import { delay, type KeepAlive, timerMs, type Wakeable } from '../delay.ts'
import type { ServerDriver } from '../driver.ts'
import { ConnectTimeoutError, GuardianLaunchError, StoppedOnRequestError } from '../errors.ts'
import { launchGuardian } from '../guardian/launch.ts'
import { standstill } from '../identity/standstill.ts'
import type { Layout } from '../state/layout.ts'
import { newNonce } from '../state/nonce.ts'
import { rebuildError } from '../state/serialized-error.ts'
import { tailServerLog } from '../state/server-log.ts'
import type { ServerRecord, ServiceSettings } from '../state/server-record.ts'
import { hasEnded, isUp, look, type View } from './look.ts'

const FIRST_ROUND_MS = 100
const LAST_ROUND_MS = 2_000
/** Whoever finds `start.lock` held trusts its holder this long: 200 programs at once need 19 s to start on two cores. */
const HERD_MS = 10_000
/** A guardian that cannot even come up is not launched again and again. */
const MAX_LAUNCH_FAILURES = 3

export interface WaitContext {
  readonly paths: Layout
  readonly backend: SlotBackend
  readonly driver: ServerDriver
  readonly settings: ServiceSettings
  readonly label: string | undefined
  readonly guardianCommand: readonly [string, ...string[]] | undefined
  readonly guardianProgram: string | undefined
  readonly timeoutMs: number
  /** Compared with `performance.now()`. */
  readonly deadline: number
  readonly signal: AbortSignal
  readonly keepAlive: KeepAlive
  readonly progress: (step: 'launching' | 'waiting', message: string) => void
}

/**
 * Waits until a server is up, launching a guardian when there is none.
 *
 * Each round looks at the alive lock FIRST: nobody holds it (or there is no record) → launch, whatever the state says. A
 * state is what a guardian wanted last; if that guardian is dead nobody will carry it on.
 *   WRONG: waiting for "the next state" after `stopping`: its guardian may have been killed, and our own slot keeps the next away.
 *   WRONG: taking what is found after the own launch for history: the own guardian may have failed by then.
 *   WRONG: waiting for `start.lock`: its holder may be stopped. It thins the herd and decides nothing; `guardian.lock` does.
 *
 * Caller: hold a slot already, or the server may stop right after.
 */
export async function awaitServing(context: WaitContext): Promise<ServerRecord> {
  const wake: Wakeable = { up: undefined }
  let watcher: { close(): void } | undefined
  let first: View | undefined
  let rounds = 0
  const launcher = new Launcher(context)
  try {
    for (;;) {
      context.signal.throwIfAborted()
      const view = look(context.backend.locks, context.paths)
      if (isUp(view)) return view.record
      first ??= view
      throwIfEndedSince(view.record, first.record, context.paths)
      if (performance.now() >= context.deadline) throw timedOut(context, view)
      if (view.guardian === 'absent') {
        if (await launcher.tryLaunch()) continue
        context.progress('waiting', 'another process starts the guardian')
      } else {
        launcher.guardianSeen()
        context.progress('waiting', waitedFor(view))
      }
      watcher ??= watchDirectory(context.paths.root, wake)
      const round = Math.min(LAST_ROUND_MS, FIRST_ROUND_MS * 1.5 ** rounds++) * (0.75 + 0.5 * Math.random())
      const left = context.deadline - performance.now()
      await delay(Math.max(1, Math.min(round, left)), context.keepAlive, context.signal, wake)
    }
  } finally {
    watcher?.close()
  }
}

/** Launches guardians for one waiting client, seldom enough. */
class Launcher {
  readonly #context: WaitContext
  #failures = 0
  #patientUntil: number | undefined

  constructor(context: WaitContext) {
    this.#context = context
  }

  /** Somebody's launch succeeded: the patience with whoever holds `start.lock` starts anew next time. */
  guardianSeen(): void {
    this.#patientUntil = undefined
  }

  /** True: look again at once. False: somebody else is at it. */
  async tryLaunch(): Promise<boolean> {
    const { paths, backend } = this.#context
    const lock = backend.locks.tryLock(paths.startLock)
    if (lock === undefined) {
      this.#patientUntil ??= performance.now() + HERD_MS * (1 + Math.random())
      if (performance.now() < this.#patientUntil) return false
    }
    this.#patientUntil = undefined
    try {
      // Between our look and the lock its last holder may have brought a guardian up.
      if (look(backend.locks, paths).guardian === 'alive') return true
      return await this.#launch()
    } finally {
      lock?.release()
    }
  }

  async #launch(): Promise<boolean> {
    const { paths, backend, driver, settings, label, guardianCommand, guardianProgram } = this.#context
    const { signal, progress } = this.#context
    progress('launching', 'starting the guardian')
    // A guardian has to tell processes apart. Where that cannot be done it is said before anything is started.
    identifySelf()
    await driver.check?.()
    // A guardian that is stopped before its first word would otherwise keep its client beyond the client's own deadline.
    const deadline = AbortSignal.timeout(timerMs(this.#context.deadline - performance.now()))
    try {
      const outcome = await launchGuardian({
        setup: {
          dir: paths.root,
          nonce: newNonce(),
          backend: backend.descriptor,
          driver: driver.descriptor,
          settings,
          launchedBy: { pid: process.pid, ...(label !== undefined && { label }) },
        },
        serverLog: paths.serverLog,
        placement: driver.placement,
        signal: AbortSignal.any([signal, deadline]),
        ...(guardianCommand && { command: guardianCommand }),
        ...(guardianProgram !== undefined && { program: guardianProgram }),
        ...(driver.guardianEnvironment && { environment: driver.guardianEnvironment }),
      })
      this.#failures = 0
      return outcome.kind === 'hello'
    } catch (error) {
      signal.throwIfAborted()
      // The next round says what was waited for.
      if (deadline.aborted) return false
      // A guardian that was killed while it started says nothing about the next one; its own typed errors do.
      if (!(error instanceof GuardianLaunchError) || ++this.#failures >= MAX_LAUNCH_FAILURES) throw error
      return false
    }
  }
}

/**
 * `failed`, and a stop on request, concern those who waited for that epoch. One that was there before this wait began is
 * history: the caller wants to try anew.
 */
function throwIfEndedSince(record: ServerRecord | undefined, first: ServerRecord | undefined, paths: Layout): void {
  if (record === undefined || !hasEnded(record)) return
  const old = first !== undefined && hasEnded(first) && first.nonce === record.nonce && first.epoch === record.epoch
  if (!old) throw endOf(record, paths)
}

/** The error that a record which `hasEnded` means for those who waited for it or had a lease on it. */
export function endOf(record: ServerRecord, paths: Layout): Error {
  return record.failure === undefined
    ? new StoppedOnRequestError({ dir: paths.root, epoch: record.epoch })
    : rebuildError(record.failure)
}

function timedOut(context: WaitContext, view: View): ConnectTimeoutError {
  const { paths, timeoutMs } = context
  return new ConnectTimeoutError({
    dir: paths.root,
    timeoutMs,
    waitedFor: waitedFor(view),
    logTail: tailServerLog(paths.serverLog, 20),
  })
}

function waitedFor(view: View): string {
  const { record, guardian } = view
  if (record === undefined || guardian === 'absent') return 'a guardian to start'
  const stands = standstill(record.guardian)
  const who = `the guardian (pid ${record.guardian.pid}${stands === undefined ? '' : `, which ${stands}`})`
  if (guardian === 'unknown') return `${who}, whose lock cannot be probed`
  switch (record.state) {
    case 'starting':
      return `${who} to start the server (epoch ${record.epoch}, port ${record.port})`
    case 'draining':
      return `${who} to decide whether the server is still used`
    case 'stopping':
      return `${who} to stop the server (epoch ${record.epoch})`
    default:
      return `${who} to leave (state ${record.state})`
  }
}

/** Only an optimisation: without it (inotify has limits per user) the rounds see the change a little later. */
function watchDirectory(dir: string, wake: Wakeable): { close(): void } {
  try {
    const watcher = watch(dir, { persistent: false }, (_event, name) => {
      if (name === 'server.json') wake.up?.()
    })
    watcher.on('error', () => watcher.close())
    return watcher
  } catch {
    return { close: () => {} }
  }
}
