import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { checkDirectory, ProcrefError, type SlotBackend } from '@procref/core'
import type { EngineIdentity, ServerDriver } from '../driver.ts'
import { UpgradeNeededError } from '../errors.ts'
import { lookAtSlots } from '../inspect-slots.ts'
import { StillInUseError } from '../request-stop.ts'
import { whileServerless } from '../serverless.ts'
import { syncDirectory } from '../state/atomic-file.ts'
import { copyTree } from '../state/copy-tree.ts'
import { checkEngine, readEngineRecord } from '../state/engine-record.ts'
import { Journal } from '../state/journal.ts'
import { type Layout, layout } from '../state/layout.ts'
import { readUpgradeConsent, type UpgradeConsent, writeUpgradeConsent } from '../state/upgrade-consent.ts'

/** What a driver would do to the data, for good. */
export interface UpgradeSeen {
  readonly from: EngineIdentity
  readonly to: EngineIdentity
  /** Somebody has said that it may. */
  readonly accepted: boolean
}

/**
 * The upgrade that the next start by this driver is; `undefined`: it is none. Changes nothing.
 * Throws what keeps the driver from opening the data: `NewerDataError`, `OlderDataError`, `DataEngineMismatchError`, `EngineRecordDamagedError`.
 */
export async function lookAtUpgrade(dir: string, driver: ServerDriver): Promise<UpgradeSeen | undefined> {
  const paths = layout(dir)
  const from = readEngineRecord(paths.engineJson)
  if (from === undefined || !driver.durable) return undefined
  const to = await driver.engine?.()
  if (to === undefined || !needsConsent(paths, from, to, undefined)) return undefined
  return { from, to, accepted: !needsConsent(paths, from, to, readUpgradeConsent(paths.upgradeJson)) }
}

/**
 * Says of whatever this driver would upgrade that it may. Caller: right before a guardian is launched, each time, not once before all: a server that
 * runs has upgraded already, and with one that is just leaving it cannot be told yet what the next start will find.
 */
export async function acceptUpgrade(paths: Layout, driver: ServerDriver): Promise<void> {
  const seen = await lookAtUpgrade(paths.root, driver)
  if (seen !== undefined && !seen.accepted) accept(paths, seen, undefined)
}

/** A copy of the data as they were is there already. */
export class CopyExistsError extends ProcrefError {
  readonly path: string
  constructor(path: string) {
    super(
      'PROCREF_COPY_EXISTS',
      `${path} is there already, and may be of another time, so nothing was copied or upgraded. Move it away, or say that no copy is wanted (--no-copy).`,
    )
    this.path = path
  }
}

export interface PrepareUpgradeOptions {
  /** `beside`: keep the data as they are in `data.before-VERSION`. */
  readonly copy: 'beside' | 'none'
  readonly signal?: AbortSignal
  /** For tests: called between any two steps. */
  readonly onStep?: (step: 'locked' | 'copied' | 'named' | 'accepted') => void
}

export interface PreparedUpgrade extends UpgradeSeen {
  /** Where the data are as they were; `undefined`: no copy was made now. */
  readonly copy?: string
}

/**
 * Keeps a copy of the data and says that they may be upgraded: the next start by this driver does it. `undefined`: it would be none.
 *
 * Guarantee: it happens only while no server and no guardian runs, and nobody has a slot; the copy has its name once it is complete and on the
 * disk, and the consent is given after that. Killed at any step, the data are as they were.
 * Throws `StillInUseError`, `GuardianRunsError`, `ServerLockHeldError`, `CopyExistsError`, what `lookAtUpgrade` throws, and the signal's reason.
 */
export async function prepareUpgrade(
  dir: string,
  backend: SlotBackend,
  driver: ServerDriver,
  { copy, signal, onStep = () => {} }: PrepareUpgradeOptions,
): Promise<PreparedUpgrade | undefined> {
  const paths = layout(dir)
  if ((await lookAtUpgrade(dir, driver)) === undefined) return undefined
  return await whileServerless(backend.locks, paths, 'its data cannot be upgraded under it', async () => {
    onStep('locked')
    const { held } = await lookAtSlots(backend, paths.slots)
    if (held.length > 0) throw new StillInUseError(paths.root, held, 'End them first; then do it again.')
    checkDirectory(paths.data)
    removeHalfCopies(paths)
    const seen = await lookAtUpgrade(dir, driver)
    // Its copy was made then, or not wanted.
    if (seen === undefined || seen.accepted) return seen
    const target = copyPath(paths, seen.to)
    if (copy === 'beside') await copyData(paths, target, signal, onStep)
    accept(paths, seen, copy === 'beside' ? target : undefined)
    onStep('accepted')
    return { ...seen, accepted: true, ...(copy === 'beside' && { copy: target }) }
  })
}

function accept(paths: Layout, { from, to }: UpgradeSeen, copy: string | undefined): void {
  writeUpgradeConsent(paths.upgradeJson, { from, to: to.version })
  new Journal(paths.journal).append({
    event: 'data-upgrade-accepted',
    reason: 'request',
    evidence: { from: from.version, to: to.version, copy: copy ?? null },
  })
}

/** Where the copy of the data is, or would be. */
export function copyPath({ root }: Layout, to: EngineIdentity): string {
  // A version is part of a name here, and came from another program.
  return join(root, `data.before-${to.version.replace(/[^\w.-]/g, '_')}`)
}

const HALF = /^data\.before-.+\.[0-9a-f]{16}\.part$/

async function copyData(
  paths: Layout,
  target: string,
  signal: AbortSignal | undefined,
  onStep: (step: 'copied' | 'named') => void,
): Promise<void> {
  if (existsSync(target)) throw new CopyExistsError(target)
  const part = `${target}.${randomBytes(8).toString('hex')}.part`
  try {
    // The lock says who serves these data, and nobody serves the copy.
    await copyTree(paths.data, part, { without: (name) => name === 'server.lock', ...(signal && { signal }) })
  } catch (error) {
    rmSync(part, { recursive: true, force: true })
    throw error
  }
  onStep('copied')
  renameSync(part, target)
  syncDirectory(paths.root)
  onStep('named')
}

/** Of calls that were killed. Caller: holds `guardian.lock`, so nobody is at it. */
function removeHalfCopies({ root }: Layout): void {
  for (const name of readdirSync(root)) if (HALF.test(name)) rmSync(join(root, name), { recursive: true, force: true })
}

function needsConsent(
  { engineJson }: Layout,
  from: EngineIdentity,
  to: EngineIdentity,
  consent: UpgradeConsent | undefined,
): boolean {
  try {
    checkEngine(from, to, engineJson, consent)
    return false
  } catch (error) {
    if (error instanceof UpgradeNeededError) return true
    throw error
  }
}
