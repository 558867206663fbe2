import { ProcrefError } from './errors.ts'
import type { SlotInfo } from './slot-backend.ts'

/** So many holders are named in a message; all of them are in `holders`. */
const NAMED_HOLDERS = 8

/** Every slot of the pool was proven to be held. */
export class SlotsExhaustedError extends ProcrefError {
  readonly dir: string
  readonly size: number
  /** Who held the slots right afterwards; labels for people. */
  readonly holders: readonly SlotInfo[]
  /** `remedy`: what else can be done, for pools in which there is more. */
  constructor(dir: string, size: number, holders: readonly SlotInfo[], remedy = '') {
    super(
      'PROCREF_SLOTS_EXHAUSTED',
      `All ${size} slots are in use in ${dir}.${heldBy(holders)} End one of them, or wait for a slot (\`timeoutMs\`).${remedy}`,
    )
    this.dir = dir
    this.size = size
    this.holders = holders
  }
}

/** No slot was to be had, yet some are not held: others looked at them all the time. Trying again is right. */
export class SlotProbedError extends ProcrefError {
  readonly dir: string
  /** The slots that nobody was proven to hold. */
  readonly slots: readonly number[]
  constructor(dir: string, slots: readonly number[], afterMs: number) {
    super(
      'PROCREF_SLOT_PROBED',
      `No slot could be claimed in ${dir} for ${afterMs} ms although slot ${slots.slice(0, NAMED_HOLDERS).join(', ')} ` +
        'is not held: other programs look at its lock all the time. Try again; if it lasts, find who probes (`lsof`).',
    )
    this.dir = dir
    this.slots = slots
  }
}

/** A slot is ours no longer (or was given back already): what it stood for must not be relied on. */
export class SlotLostError extends ProcrefError {
  readonly slot: number
  readonly path: string | undefined
  constructor(slot: number, path: string | undefined, reason: string) {
    super('PROCREF_SLOT_LOST', `Slot ${slot} is ours no longer: ${reason}. Claim another one.`)
    this.slot = slot
    this.path = path
  }
}

/** The pool was closed by this process, and used afterwards. */
export class PoolClosedError extends ProcrefError {
  readonly dir: string
  constructor(dir: string) {
    super('PROCREF_POOL_CLOSED', `The pool of ${dir} is closed. Open it again to go on.`)
    this.dir = dir
  }
}

/** `pid 4711 (editor, node server.js) in slot 3`, as far as it is known. */
export function describeHolder(holder: SlotInfo): string {
  const details = [holder.label, holder.program].filter((detail) => detail !== undefined && detail !== '')
  const who = holder.pid === undefined ? 'an unknown process' : `pid ${holder.pid}`
  return `${who}${details.length > 0 ? ` (${details.join(', ')})` : ''} in slot ${holder.slot}`
}

function heldBy(holders: readonly SlotInfo[]): string {
  if (holders.length === 0) return ''
  const more = holders.length - NAMED_HOLDERS
  return ` Held by ${holders.slice(0, NAMED_HOLDERS).map(describeHolder).join('; ')}${more > 0 ? `; and ${more} more` : ''}.`
}
