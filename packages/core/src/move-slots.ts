import { basename, join, resolve } from 'node:path'
import { errnoOf, translateErrno } from './errno.ts'
import { ProcrefError } from './errors.ts'
import {
  checkNextFolder,
  DirectoryMovingError,
  nextSlotsFolder,
  PIN_FILE,
  ProtocolMismatchError,
  type ProtocolPin,
  readProtocolPin,
  replacePin,
  slotsFolder,
} from './protocol-pin.ts'
import type { SlotBackend, SlotInfo, SlotPool } from './slot-backend.ts'
import { describeHolder } from './slot-errors.ts'
import { type SystemCalls, systemCalls } from './system-calls.ts'

/** What the old files were, kept beside the links that took their names. */
const RETIRED = 'retired'
/** Leads nowhere: there is no such folder, so a program that follows links makes nothing through it either. */
const NOWHERE = 'moved-see-protocol.json'
const TEMPORARY = '.moved.tmp'
const LABEL = 'procref migrate'

/** Where a move is when `onStep` is called; between any two of them it may be killed, and done again. */
export type MoveStep = 'opened' | 'claimed' | 'announced' | 'retiring' | 'retired' | 'moved' | 'released'

export interface SlotMove {
  readonly dir: string
  readonly from: SlotBackend
  readonly to: SlotBackend
  readonly allowUnsafeFilesystem?: boolean
  readonly onStep?: (step: MoveStep) => void
  readonly system?: SystemCalls
}

/** Somebody holds a slot, so the slots cannot be moved. */
export class SlotsHeldError extends ProcrefError {
  readonly dir: string
  readonly holders: readonly SlotInfo[]
  constructor(dir: string, holders: readonly SlotInfo[]) {
    super(
      'PROCREF_SLOTS_HELD',
      `The slots of ${dir} cannot be moved while somebody holds one: ${holders.map(describeHolder).join('; ')}. ` +
        'End these programs (`procref stop` ends what `procref start` began), then do it again.',
    )
    this.dir = dir
    this.holders = holders
  }
}

/**
 * Moves the slots of a directory to another backend: afterwards `protocol.json` names its protocol and the folder in which its slots are,
 * where `migrating()` has had them all along.
 *
 * Guarantee: whoever opens the directory at any moment finds the old slots, or the new ones, or `DirectoryMovingError`; and nobody can
 * claim an old slot once anybody can find the new ones, also through a pool that was opened before, and also a program that knows no
 * `protocol.json` (the names of the old files lead nowhere then). A move that was killed is undone by `undoMove()` and can be done anew.
 * Refused with `SlotsHeldError` while anybody holds a slot, old or new; whatever goes wrong before the end is undone.
 * Caller: keep guardians out (their lock), and other movers (the same lock).
 *
 * Order:
 *   every old slot is claimed   →   the pin says `moving`   →   old files are replaced by links to nowhere   →   the pin names the new slots
 *   WRONG: to prove that nobody holds a slot, and then to move: somebody claims in between. Whoever holds all of them is the proof.
 *   WRONG: to replace the pin before the old files: a pool that was opened earlier claims an old slot beside those who have new ones.
 *   WRONG: to delete the old files: a claim makes a missing slot file anew.
 */
export async function moveSlots(move: SlotMove): Promise<ProtocolPin> {
  const { from, to, onStep = () => {}, system = systemCalls } = move
  const dir = resolve(move.dir)
  const pin = oldPin(dir, from, system)
  const options = { slots: pin.slots, label: LABEL, allowUnsafeFilesystem: move.allowUnsafeFilesystem ?? false }
  const folder = nextSlotsFolder(pin)
  checkNextFolder(join(dir, folder), to.protocol ?? to.name, system)
  await using next = await to.open(join(dir, folder), options)
  await using old = await from.open(dir, options)
  onStep('opened')
  await claimAll(dir, old, next)
  onStep('claimed')
  const moved: ProtocolPin = { protocol: to.protocol ?? to.name, slots: pin.slots, folder }
  try {
    replacePin(dir, { ...pin, moving: { to: to.name } }, system)
    onStep('announced')
    retire(slotsFolder(dir, pin), system, onStep)
    onStep('retired')
    replacePin(dir, moved, system)
  } catch (error) {
    undoMove(dir, system)
    throw error
  }
  onStep('moved')
  await old.close()
  onStep('released')
  return moved
}

/**
 * Undoes a move that was killed on the way: the old slots are where they were, and in use if somebody held one. False: there was none.
 * Caller: as for `moveSlots`.
 */
export function undoMove(dir: string, system: SystemCalls = systemCalls): boolean {
  const pin = readProtocolPin(dir, system)
  if (pin?.moving === undefined) return false
  const { moving: _, ...before } = pin
  const place = slotsFolder(dir, pin)
  try {
    reinstate(place, system)
  } catch (error) {
    throw translateErrno(error, 'put back the slots in', place)
  }
  replacePin(dir, before, system)
  return true
}

function oldPin(dir: string, from: SlotBackend, system: SystemCalls): ProtocolPin {
  const protocol = from.protocol ?? from.name
  const pin = readProtocolPin(dir, system)
  if (pin?.moving !== undefined) throw new DirectoryMovingError(dir, pin.protocol, pin.moving.to)
  if (pin?.protocol !== protocol) throw new ProtocolMismatchError(dir, pin?.protocol ?? 'none', protocol)
  return pin
}

/** Keeps every old slot, which proves that nobody else holds one and that nobody will; the slots are released with the pool. */
async function claimAll(dir: string, old: SlotPool, next: SlotPool): Promise<void> {
  const ours = new Set<number>()
  for (let slot = await old.tryClaim(); slot !== undefined; slot = await old.tryClaim()) ours.add(slot.id)
  // Also slots beyond the pool's size, which programs in other languages may use.
  const others = (await old.held()).filter(({ slot }) => !ours.has(slot))
  const held = [...others, ...(await next.held())]
  if (held.length > 0) throw new SlotsHeldError(dir, held)
}

/** Is what is at `path` only a link that a move has left, so that nobody finds an old slot there? */
export function isMovedAway(path: string, system: SystemCalls = systemCalls): boolean {
  try {
    return system.readlink(path) === join(NOWHERE, basename(path))
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return false
  }
}

/** Each file in `place` but the pin is replaced, in one step each, by a link that leads nowhere. */
function retire(place: string, system: SystemCalls, onStep: (step: MoveStep) => void): void {
  const retired = join(place, RETIRED)
  try {
    system.mkdirs(retired, 0o700)
    for (const name of system.readdir(place)) {
      const path = join(place, name)
      if (name === PIN_FILE || name.endsWith('.tmp') || system.lstat(path)?.isFile() !== true) continue
      linkUnlessThere(path, join(retired, name), system)
      const temporary = `${path}${TEMPORARY}`
      system.symlink(join(NOWHERE, name), temporary)
      onStep('retiring')
      system.rename(temporary, path)
    }
    system.syncDirectory(place)
  } catch (error) {
    throw translateErrno(error, 'retire the slots in', place)
  }
}

function reinstate(place: string, system: SystemCalls): void {
  const retired = join(place, RETIRED)
  for (const name of system.readdir(place)) {
    if (name.endsWith(TEMPORARY)) system.unlink(join(place, name))
  }
  if (system.lstat(retired) === undefined) return
  for (const name of system.readdir(retired)) {
    const path = join(place, name)
    // Both names lead to the same file where it was killed between the two: rename() would leave both.
    if (system.lstat(path)?.isFile() === true) system.unlink(join(retired, name))
    else system.rename(join(retired, name), path)
  }
  system.syncDirectory(place)
}

function linkUnlessThere(path: string, name: string, system: SystemCalls): void {
  try {
    system.link(path, name)
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error
    // Of an earlier move out of this folder; the file that has its name now is the one that counts.
    system.unlink(name)
    system.link(path, name)
  }
}
