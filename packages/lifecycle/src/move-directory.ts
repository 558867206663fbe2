import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  checkNextFolder,
  describeHolder,
  type FileLock,
  type FileLocker,
  type MoveStep,
  migrating,
  moveSlots,
  nextSlotsFolder,
  OtherMigrationError,
  PIN_FILE,
  ProcrefError,
  type ProtocolPin,
  readProtocolPin,
  type SlotBackend,
  type SlotInfo,
  slotOfFileName,
  undoMove,
} from '@procref/core'
import { probeAlive } from './client/look.ts'
import { ServerLockHeldError } from './errors.ts'
import { lockUntil } from './guardian/election.ts'
import { lookAtSlots } from './inspect-slots.ts'
import { Journal, readJournal } from './state/journal.ts'
import { type Layout, layout } from './state/layout.ts'
import { readServerRecord } from './state/server-record.ts'

export interface DirectoryMove {
  readonly dir: string
  readonly from: SlotBackend
  readonly to: SlotBackend
  readonly allowUnsafeFilesystem?: boolean
  /** For tests: called between any two steps that change something. */
  readonly onStep?: (step: MoveStep | 'locked' | 'undone' | 'noted') => void
}

/** A guardian runs, or another move: the lock that makes one is held. */
export class GuardianRunsError extends ProcrefError {
  readonly dir: string
  readonly pid: number | undefined
  constructor(dir: string, path: string, pid: number | undefined) {
    super(
      'PROCREF_GUARDIAN_RUNS',
      `${path} is held, by a guardian${pid === undefined ? '' : ` (pid ${pid}, as it recorded)`} or by another \`procref migrate\`, and the ` +
        'slots cannot be moved under it. Wait until the server has stopped, or end it with `procref stop`, then do it again.',
    )
    this.dir = dir
    this.pid = pid
  }
}

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
  const held = await holdServerless(locks, paths)
  try {
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
  } finally {
    for (const lock of held) lock.release()
  }
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
    hindrances.push(new GuardianRunsError(paths.root, paths.guardianLock, recordedGuardian(paths)).message)
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

async function holdServerless(locks: FileLocker, paths: Layout): Promise<readonly FileLock[]> {
  const guardian = await lockUntil(locks, paths.guardianLock, performance.now())
  if (guardian === undefined) throw new GuardianRunsError(paths.root, paths.guardianLock, recordedGuardian(paths))
  if (!existsSync(paths.data)) return [guardian]
  let server: FileLock | undefined
  try {
    server = await lockUntil(locks, paths.serverLock, performance.now())
    if (server !== undefined) return [server, guardian]
    const reason = 'a server whose guardian is gone; the next guardian ends it'
    throw new ServerLockHeldError({ path: paths.serverLock, holders: [], reason })
  } finally {
    if (server === undefined) guardian.release()
  }
}

/** For a message only. */
function recordedGuardian(paths: Layout): number | undefined {
  try {
    return readServerRecord(paths.serverJson)?.guardian.pid
  } catch {
    return undefined
  }
}
