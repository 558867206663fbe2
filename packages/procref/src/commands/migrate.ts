import { type ProtocolPin, readProtocolPin, type SlotBackend } from '@procref/core'
import { type DirectoryMove, hindrancesOfMove, moveDirectory, noteMoved } from '@procref/lifecycle'
import { backendByName, backendForProtocol } from '../choose-backend.ts'
import type { Colors } from '../cli/output.ts'
import { type PlaceOptions, resolvePlace } from '../place.ts'
import { handleSeedRemains, type SeedRemain } from '../seed/remains.ts'

export interface MigrateOptions extends PlaceOptions {
  readonly to: string
  readonly dryRun?: boolean
  readonly json?: boolean
  readonly allowUnsafeFilesystem?: boolean
}

/** Stable: fields are only added. */
export interface Migrated {
  readonly dir: string
  /**
   * `moved`; `already`: it speaks the protocol of that backend; `unused`: nobody has used the directory. With `--dry-run`: `would-move`, or
   * `hindered` by what is listed.
   */
  readonly state: 'moved' | 'already' | 'unused' | 'would-move' | 'hindered'
  /** The lock protocols; `from` is `null` in a directory that nobody has used. */
  readonly from: string | null
  readonly to: string
  readonly slots: number | null
  /** Where the slots are, in `slots/`; `null`: in `slots/` itself. */
  readonly folder: string | null
  /** A move that was killed was there, and was undone, or would be, first. */
  readonly unfinished: boolean
  /** What keeps it from being moved now, in words for people. */
  readonly hindrances: readonly string[]
  /** What the crate procref 0.1.0 has left here. */
  readonly remains: readonly SeedRemain[]
}

/**
 * Moves the directory's slots to another backend, or says whether it could be done.
 * Throws `SlotsHeldError`, `GuardianRunsError`, `ServerLockHeldError`, and then nothing was changed; `UnknownBackendError`.
 */
export async function migrateDirectory(options: MigrateOptions, onStep?: DirectoryMove['onStep']): Promise<Migrated> {
  const { root, slots } = resolvePlace(options.dir)
  const to = await backendByName(options.to)
  const pin = readProtocolPin(slots)
  const dryRun = options.dryRun === true
  const outcome = await move({ root, slots, pin, to, dryRun, options, onStep })
  return { ...outcome, remains: handleSeedRemains(root, { clean: !dryRun }) }
}

interface Question {
  readonly root: string
  readonly slots: string
  readonly pin: ProtocolPin | undefined
  readonly to: SlotBackend
  readonly dryRun: boolean
  readonly options: MigrateOptions
  readonly onStep: DirectoryMove['onStep']
}

async function move({ root, slots, pin, to, dryRun, options, onStep }: Question): Promise<Omit<Migrated, 'remains'>> {
  const wanted = to.protocol ?? to.name
  const seen = (found: ProtocolPin | undefined) => ({
    dir: root,
    from: pin?.protocol ?? null,
    to: wanted,
    slots: found?.slots ?? null,
    folder: found?.folder ?? null,
    unfinished: pin?.moving !== undefined,
    hindrances: [] as readonly string[],
  })
  if (pin === undefined) return { ...seen(pin), state: 'unused' }
  if (pin.protocol === wanted && pin.moving === undefined) {
    if (!dryRun) noteMoved(root)
    return { ...seen(pin), state: 'already' }
  }
  const from = await backendForProtocol(pin.protocol, slots, root)
  const asked = {
    dir: root,
    from,
    to,
    ...(options.allowUnsafeFilesystem !== undefined && { allowUnsafeFilesystem: options.allowUnsafeFilesystem }),
    ...(onStep && { onStep }),
  }
  if (!dryRun) return { ...seen(await moveDirectory(asked)), state: 'moved' }
  const hindrances = await hindrancesOfMove(asked)
  return { ...seen(pin), state: hindrances.length === 0 ? 'would-move' : 'hindered', hindrances }
}

export function viewMigrate(result: Migrated, colors: Colors): string {
  const { dir, state, from, to, slots } = result
  const lines = [HEADLINES[state](colors, dir, `${from ?? '?'}`, to, slots ?? 0)]
  if (result.unfinished) lines.push('  a move that was killed on the way was found: it is undone first')
  for (const hindrance of result.hindrances) lines.push(colors.yellow(`  ${hindrance}`))
  if (result.remains.length > 0) lines.push('  left by the crate procref 0.1.0, the original program:')
  for (const { kind, service, at, removed, state: of, explanation } of result.remains) {
    const what = kind === 'semaphore-set' ? `semaphore set ${at}` : at
    lines.push(
      `  ${removed ? colors.green('removed') : of === 'dead' ? 'dead' : colors.yellow('left alone')}: ${what} of ${JSON.stringify(service)}: it ${explanation}`,
    )
  }
  return lines.join('\n')
}

type Headline = (colors: Colors, dir: string, from: string, to: string, slots: number) => string

const HEADLINES: Readonly<Record<Migrated['state'], Headline>> = {
  moved: (colors, dir, from, to, slots) =>
    `${colors.green('moved')}  ${slots} slots of ${dir} from "${from}" to "${to}"`,
  already: (_colors, dir, _from, to) => `${dir} speaks the lock protocol "${to}" already`,
  unused: (_colors, dir) => `nobody has used ${dir} yet: there is nothing to move`,
  'would-move': (_colors, dir, from, to, slots) =>
    `${slots} slots of ${dir} could be moved from "${from}" to "${to}" now`,
  hindered: (colors, dir, from, to) => `${colors.yellow('not now')}  ${dir} cannot be moved from "${from}" to "${to}":`,
}
