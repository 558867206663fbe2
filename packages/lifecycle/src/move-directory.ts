import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  checkNextFolder,
  describeHolder,
  type FileLocker,
  type MoveStep,
  migrating,
  moveSlots,
  nextSlotsFolder,
  OtherMigrationError,
  PIN_FILE,
  type ProtocolPin,
  readProtocolPin,
  type SlotBackend,
  type SlotInfo,
  slotOfFileName,
  undoMove,
} from '@procref/core'
import { probeAlive } from './client/look.ts'
import { lookAtSlots } from './inspect-slots.ts'
import { guardianRuns, whileServerless } from './serverless.ts'
import { Journal, readJournal } from './state/journal.ts'
import { layout } from './state/layout.ts'

export interface DirectoryMove {
  readonly dir: string
  readonly from: SlotBackend
  readonly to: SlotBackend
  readonly allowUnsafeFilesystem?: boolean
  /** For tests: called between any two steps that change something. */
  readonly onStep?: (step: MoveStep | 'locked' | 'undone' | 'noted') => void
}

const UNDONE = 'the slots cannot be moved under it'

/**
 * Moves the slots of a service's directory to another backend (see `moveSlots`), undoing first what was left of a move that was killed.
 * Touches neither the data nor the server's state, and notes in the journal what it does.
 *
 * Guarantee: while it goes on no guardian can come up and no server runs, whichever of the two backends' control locks they use.
 * Caller: nothing; it is refused while anybody has a slot (`SlotsHeldError`), a guardian runs (`GuardianRunsError`) or a server without
 * one does (`ServerLockHeldError`).
 */
export async function moveDirectory(move: DirectoryMove): Promise<ProtocolPin> {
  const { from, to, onStep = () => {} } = move
  const paths = layout(move.dir)
  const { locks } = migrating({ from, to, phase: 1 })
  const journal = new Journal(paths.journal)
  return await whileServerless(locks, paths, UNDONE, async () => {
    onStep('locked')
    const evidence = { from: from.protocol ?? from.name, to: to.protocol ?? to.name }
    if (undoMove(paths.slots)) {
      journal.append({ event: 'slots-move-undone', reason: 'request', evidence })
      onStep('undone')
    }
    journal.append({ event: 'slots-moving', reason: 'request', evidence })
    onStep('noted')
    const pin = await moveSlots({
      dir: paths.slots,
      from,
      to,
      onStep,
      ...(move.allowUnsafeFilesystem !== undefined && { allowUnsafeFilesystem: move.allowUnsafeFilesystem }),
    })
    noteMoved(paths.root)
    return pin
  })
}

/** The line of a move that is done; also for one that was killed between the move and its line. */
export function noteMoved(dir: string): void {
  const { journal } = layout(dir)
  const last = readJournal(journal)
    .filter(({ event }) => event.startsWith('slots-mov'))
    .at(-1)
  if (last?.event !== 'slots-moving') return
  new Journal(journal).append({
    event: 'slots-moved',
    reason: 'request',
    ...(last.evidence && { evidence: last.evidence }),
  })
}

/** What would keep `moveDirectory` from it now, in words; empty when nothing does. Changes and makes nothing. */
export async function hindrancesOfMove({ dir, from, to }: DirectoryMove): Promise<readonly string[]> {
  const paths = layout(dir)
  const { locks } = migrating({ from, to, phase: 1 })
  const hindrances: string[] = []
  if (probeAlive(locks, paths.guardianLock) !== 'absent') {
    hindrances.push(guardianRuns(paths, UNDONE).message)
  }
  if (probeAlive(locks, paths.serverLock) !== 'absent') hindrances.push(`a server holds ${paths.serverLock}`)
  const pin = readProtocolPin(paths.slots)
  // In the middle of a move nobody can open the slots; whoever holds one is found when it has been undone.
  if (pin === undefined || pin.moving !== undefined) return hindrances
  const next = join(paths.slots, nextSlotsFolder(pin))
  try {
    checkNextFolder(next, to.protocol ?? to.name)
  } catch (error) {
    if (!(error instanceof OtherMigrationError)) throw error
    return [...hindrances, error.message]
  }
  const old = existsSync(join(paths.slots, PIN_FILE))
    ? (await lookAtSlots(from, paths.slots)).held
    : heldFiles(from.locks, paths.slots)
  const holders = [...old, ...(await lookAtSlots(to, next)).held]
  return [...hindrances, ...holders.map((holder: SlotInfo) => `a slot is held: ${describeHolder(holder)}`)]
}

/** The held slot files of a directory that only the original program has used: opening it would make a pin. */
function heldFiles(locks: FileLocker, slots: string): readonly SlotInfo[] {
  return readdirSync(slots).flatMap((name) => {
    const slot = slotOfFileName(name)
    const path = join(slots, name)
    return slot !== undefined && probeAlive(locks, path) !== 'absent' ? [{ slot, path }] : []
  })
}
