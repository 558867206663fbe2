import type { SubjectClaim, SubjectPool } from '../../subject.ts'

/** What gives back one lock. */
export type Unlock = () => void | Promise<void>

/** A primitive that knows locks by number and nothing of pools. */
export interface NumberedLocks {
  /** Undefined when somebody else has it. */
  tryLock(slot: number): Unlock | undefined | Promise<Unlock | undefined>
  /** Waits for it, as the primitive itself does. */
  lock(slot: number): Promise<Unlock>
  close(): void | Promise<void>
}

/**
 * The pool that users of such a primitive build: one lock a slot, tried in turn from the first; when none is free, it waits for one that it
 * picked by chance. What it has itself is not tried again: several of these primitives would give a process its own lock twice.
 */
export function scanningPool(locks: NumberedLocks, slots: number): SubjectPool {
  const mine = new Uint8Array(slots)

  const claimOf = (slot: number, unlock: Unlock): SubjectClaim => {
    mine[slot] = 1
    return {
      slot,
      release() {
        mine[slot] = 0
        return unlock()
      },
    }
  }

  const nextOf = (slot: number): number => {
    let next = slot + 1
    while (mine[next] === 1) next++
    return next
  }

  /** Answers at once as long as the primitive does. */
  const scan = (): SubjectClaim | undefined | Promise<SubjectClaim | undefined> => {
    for (let slot = nextOf(-1); slot < slots; slot = nextOf(slot)) {
      const unlock = locks.tryLock(slot)
      if (unlock instanceof Promise) return scanOn(slot, unlock)
      if (unlock !== undefined) return claimOf(slot, unlock)
    }
    return undefined
  }

  const scanOn = async (first: number, trying: Promise<Unlock | undefined>): Promise<SubjectClaim | undefined> => {
    let unlock = await trying
    let slot = first
    while (unlock === undefined) {
      slot = nextOf(slot)
      if (slot >= slots) return undefined
      unlock = await locks.tryLock(slot)
    }
    return claimOf(slot, unlock)
  }

  return {
    tryClaim: scan,
    async claim() {
      const claim = await scan()
      if (claim !== undefined) return claim
      const others = Array.from(mine.keys()).filter((slot) => mine[slot] === 0)
      const slot = others[Math.floor(Math.random() * others.length)]
      if (slot === undefined) throw new Error('this process has all permits itself')
      mine[slot] = 1
      try {
        return claimOf(slot, await locks.lock(slot))
      } catch (error) {
        mine[slot] = 0
        throw error
      }
    },
    close: () => locks.close(),
  }
}
