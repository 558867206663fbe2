import { isBundled } from '@procref/core'
import { launchDetached } from '../detached/launch.ts'
import type { ServerDriver } from '../driver.ts'
import { GuardianLaunchError } from '../errors.ts'
import type { GuardianSetup, GuardianStatus } from './setup.ts'
import { smallFootprint } from './small-footprint.ts'

/** How a launch ended. `loser`: a guardian exists already, which is as good. */
export type LaunchOutcome = GuardianStatus

const REMEDY_IN_BUNDLE =
  'Bundle a file that calls guardian() of @procref/lifecycle/guardian as well, and give connect() its path as the option guardianProgram; ' +
  'or keep procref and @procref/* out of the bundle, and installed. See docs/where-processes-live.md.'

export interface LaunchOptions {
  readonly setup: GuardianSetup
  readonly serverLog: string
  /** What starts Node instead of `process.execPath`. */
  readonly command?: readonly [string, ...string[]]
  /** The absolute path of a bundle's guardian file. */
  readonly program?: string
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
  const { program, ...rest } = options
  if (program === undefined) refuseBundled(options.setup)
  return await launchDetached<GuardianStatus>({
    ...rest,
    program: '../guardian/main.js',
    ...(program !== undefined && { bundledProgram: program }),
    remedyInBundle: REMEDY_IN_BUNDLE,
    // An engine in the guardian has work to do.
    nodeArguments: options.placement === 'child' ? smallFootprint() : [],
    env: { ...options.environment, PROCREF_GUARDIAN: '1', PROCREF_INSTANCE: options.setup.nonce },
    Failure: GuardianLaunchError,
  })
}

/** The guardian of the installed package could not make these; said before anything is started. */
function refuseBundled({ backend, driver }: GuardianSetup): void {
  const bundled = [backend, driver].find(({ module }) => isBundled(module))
  if (bundled === undefined) return
  const name = bundled.module.slice(bundled.module.indexOf(':') + 1)
  throw new GuardianLaunchError({
    reason: `${bundled.factory}() of ${name} is part of a bundle, and no file of that bundle is known that runs the guardian`,
    remedy: REMEDY_IN_BUNDLE,
  })
}
