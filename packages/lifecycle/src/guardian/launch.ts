import { launchDetached } from '../detached/launch.ts'
import type { ServerDriver } from '../driver.ts'
import { GuardianLaunchError } from '../errors.ts'
import type { GuardianSetup, GuardianStatus } from './setup.ts'
import { smallFootprint } from './small-footprint.ts'

/** How a launch ended. `loser`: a guardian exists already, which is as good. */
export type LaunchOutcome = GuardianStatus

export interface LaunchOptions {
  readonly setup: GuardianSetup
  readonly serverLog: string
  /** What starts Node instead of `process.execPath`. */
  readonly command?: readonly [string, ...string[]]
  /** Where the server will run. */
  readonly placement: ServerDriver['placement']
  /** As the driver wants it. */
  readonly environment?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/**
 * Starts a guardian that belongs to nobody.
 *
 * Guarantee: resolves when the new guardian holds its locks and has written `starting`, or has found another one.
 * Rejects with the guardian's own typed error, or with `GuardianLaunchError`; with the signal's reason when aborted (the
 * guardian may come up all the same: it then finds no slot held and stops).
 */
export async function launchGuardian(options: LaunchOptions): Promise<LaunchOutcome> {
  return await launchDetached<GuardianStatus>({
    ...options,
    program: new URL('./main.js', import.meta.url),
    // An engine in the guardian has work to do.
    nodeArguments: options.placement === 'child' ? smallFootprint() : [],
    env: { ...options.environment, PROCREF_GUARDIAN: '1', PROCREF_INSTANCE: options.setup.nonce },
    Failure: GuardianLaunchError,
  })
}
