import { identifySelf, unlessAborted } from '@procref/core'
import { timerMs } from '../delay.ts'
import { GuardianLaunchError } from '../errors.ts'
import { launchGuardian } from '../guardian/launch.ts'
import { newNonce } from '../state/nonce.ts'
import type { WaitContext } from './await-serving.ts'
import { look } from './look.ts'

/** Whoever finds `start.lock` held trusts its holder this long: 200 programs at once need 19 s to start on two cores. */
const HERD_MS = 10_000
/** A guardian that cannot even come up is not launched again and again. */
const MAX_LAUNCH_FAILURES = 3

/** Launches guardians for one client, seldom enough. Throws as `launchGuardian`, and what the driver finds missing. */
export class Launcher {
  readonly #context: WaitContext
  #failures = 0
  #lastFailure: GuardianLaunchError | undefined
  #patientUntil: number | undefined

  constructor(context: WaitContext) {
    this.#context = context
  }

  /** Why the last guardian could not be launched, unless one could be since. */
  get lastFailure(): GuardianLaunchError | undefined {
    return this.#lastFailure
  }

  /** Somebody's launch succeeded: the patience with whoever holds `start.lock` starts anew next time. */
  guardianSeen(): void {
    this.#lastFailure = undefined
    this.#patientUntil = undefined
  }

  /** What has to be done before a guardian is launched, whoever launches it. */
  async prepare(): Promise<void> {
    const { beforeLaunch, signal } = this.#context
    const deadline = this.#untilDeadline()
    try {
      await unlessAborted(beforeLaunch?.(), AbortSignal.any([signal, deadline]))
    } catch (error) {
      signal.throwIfAborted()
      // The next round says what was waited for.
      if (!deadline.aborted) throw error
    }
  }

  /** True: look again at once. False: somebody else is at it. */
  async tryLaunch(): Promise<boolean> {
    const { paths, backend } = this.#context
    const lock = backend.locks.tryLock(paths.startLock)
    if (lock === undefined) {
      this.#patientUntil ??= performance.now() + herdPatienceMs()
      if (performance.now() < this.#patientUntil) return false
    }
    this.#patientUntil = undefined
    try {
      // Between our look and the lock its last holder may have brought a guardian up.
      if (look(backend.locks, paths).guardian === 'alive') return true
      return await this.launch()
    } finally {
      lock?.release()
    }
  }

  /** True: a guardian has said hello. False: another one was faster, or ours was killed, or there is no time left. */
  async launch(): Promise<boolean> {
    const { paths, backend, driver, settings, label, guardianCommand, guardianProgram } = this.#context
    const { signal, progress } = this.#context
    progress('launching', 'starting the guardian')
    // A guardian has to tell processes apart. Where that cannot be done it is said before anything is started.
    identifySelf()
    // A driver's check that hangs, or a guardian that is stopped before its first word, would otherwise keep its client beyond the client's own
    // deadline, and a lease that is closed from giving its slot back.
    const deadline = this.#untilDeadline()
    const given = AbortSignal.any([signal, deadline])
    try {
      await unlessAborted(driver.check?.(), given)
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
        signal: given,
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
      this.#lastFailure = error
      return false
    }
  }

  #untilDeadline(): AbortSignal {
    return AbortSignal.timeout(timerMs(this.#context.deadline - performance.now()))
  }
}

/** How long to trust a holder of `start.lock`. */
export function herdPatienceMs(): number {
  return HERD_MS * (1 + Math.random())
}
