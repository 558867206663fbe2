import {
  copyPath,
  type DataSeen,
  lookAtData,
  lookAtUpgrade,
  type PreparedUpgrade,
  type PrepareUpgradeOptions,
  prepareUpgrade,
  readEngineRecord,
  sharedService,
  type UpgradeSeen,
} from '@procref/lifecycle'
import { type Ask, askOnTerminal } from '../cli/ask.ts'
import { UsageError } from '../cli/exit-code.ts'
import { type Colors, note } from '../cli/output.ts'
import { whileWaiting } from '../cli/progress.ts'
import { size } from '../cli/size.ts'
import { untilSignal } from '../cli/until-signal.ts'
import { bestDriver } from '../drivers.ts'
import { resolvePlace } from '../place.ts'
import { type ResolvedService, resolveService } from '../service.ts'
import { type ServiceOptions, toQuestion } from '../service-options.ts'

export interface UpgradeCommandOptions extends ServiceOptions {
  /** Do not ask. */
  readonly yes?: boolean
  /** False: without a copy. */
  readonly copy?: boolean
  readonly json?: boolean
}

/** Stable: fields are only added. */
export interface Upgraded {
  readonly dir: string
  /** `current`: there is nothing to upgrade; `declined`: whoever was asked said no. */
  readonly state: 'upgraded' | 'current' | 'declined'
  /** The version that wrote the data; `null`: there are none. */
  readonly from: string | null
  /** The version that has them now; `null` when nothing was upgraded. */
  readonly to: string | null
  /** Where they are as they were; `null`: no copy was made. */
  readonly copy: string | null
}

/** What only tests say. */
export interface UpgradeHooks {
  readonly ask?: Ask
  readonly onStep?: NonNullable<PrepareUpgradeOptions['onStep']>
}

/**
 * Upgrades the database of the directory to the server that is found, once somebody has said so: keeps a copy, and starts the server once.
 * Throws as `prepareUpgrade`, and then the data are as they were; as `sharedService`, and then the copy is; `UsageError` where nobody can be asked.
 */
export async function upgradeDirectory(options: UpgradeCommandOptions, hooks: UpgradeHooks = {}): Promise<Upgraded> {
  const paths = resolvePlace(options.dir)
  const driver = options.driver ?? (await bestDriver())
  const service = await resolveService(toQuestion({ ...options, driver }, 'procref upgrade'))
  const seen = await lookAtUpgrade(paths.root, service.driver)
  const from = readEngineRecord(paths.engineJson)?.version ?? null
  const none = { dir: paths.root, from, to: null, copy: null }
  if (seen === undefined) return { ...none, state: 'current' }
  if (options.yes !== true && !seen.accepted) {
    const ask = hooks.ask ?? askOnTerminal()
    const target = options.copy === false ? undefined : copyPath(paths, seen.to)
    const what = described(seen, lookAtData(paths.root), target)
    if (ask === undefined) throw new UsageError(`${what} Say so with --yes.`)
    if (!(await ask(`${what} Do it?`))) return { ...none, state: 'declined' }
  }
  const prepared = await untilSignal((signal) =>
    whileWaiting((onProgress) => {
      onProgress({ message: 'copying the data' })
      return prepareUpgrade(paths.root, service.backend, service.driver, {
        copy: options.copy === false ? 'none' : 'beside',
        signal,
        ...(hooks.onStep !== undefined && { onStep: hooks.onStep }),
      })
    }),
  )
  if (prepared === undefined) return { ...none, state: 'current' }
  await startOnce(service, prepared)
  return { dir: paths.root, state: 'upgraded', from, to: prepared.to.version, copy: prepared.copy ?? null }
}

export function viewUpgrade({ dir, state, from, to, copy }: Upgraded, colors: Colors): string {
  if (state === 'declined') return 'nothing was changed'
  if (state === 'current')
    return from === null ? `${dir} has no data yet` : `the data of ${dir}, of SurrealDB ${from}, need no upgrade`
  const lines = [`${colors.green('upgraded')}  the database of ${dir} from SurrealDB ${from} to ${to}`]
  if (copy !== null) lines.push(`  as it was, it is in ${copy}: delete that once you do not need it any more`)
  return lines.join('\n')
}

/** The server upgrades the data when it opens them. */
async function startOnce(service: ResolvedService, { copy }: PreparedUpgrade): Promise<void> {
  try {
    await whileWaiting(async (onProgress) => {
      onProgress({ message: 'starting the server' })
      await using _lease = await sharedService(service)
    })
  } catch (error) {
    if (copy !== undefined) note(`procref: the data as they were are in ${copy}`)
    throw error
  }
}

function described({ from, to }: UpgradeSeen, data: DataSeen | undefined, copy: string | undefined): string {
  const kept =
    copy === undefined
      ? 'No copy is kept, and there is no way back.'
      : `A copy of them as they are (${size(data?.bytes ?? 0)}) stays in ${copy}.`
  return `The data were written by SurrealDB ${from.version}. SurrealDB ${to.version} would upgrade them, and ${from.version} could not use them any more. ${kept}`
}
