import { readRecord } from './owner-record.ts'
import { isOver, markFree, recordOf } from './owners.ts'

/**
 * One taking of a generation. Its number alone does not name it: whoever deletes the directory of the owners makes the numbers begin anew, and
 * then it is somebody else's too. The claim, which is in the record, is nobody else's.
 */
export interface Ownership {
  readonly owners: string
  readonly number: number
  readonly claim: string
}

/** Is the generation of that number still the one that was taken so? */
export function isOurs({ owners, number, claim }: Ownership): boolean {
  return readRecord(recordOf(owners, number))?.claim === claim
}

/** Is it ours, with nobody after it, and not given back? */
export function isCurrent(ownership: Ownership): boolean {
  return isOurs(ownership) && !isOver(ownership.owners, ownership.number)
}

/** Marks it as given back, unless the number is somebody else's by now. */
export function giveBack(ownership: Ownership): void {
  if (isOurs(ownership)) markFree(ownership.owners, ownership.number)
}
