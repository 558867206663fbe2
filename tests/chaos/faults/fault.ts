import type { Stage } from '../stage.ts'

export interface Fault {
  /** The server may not survive it, or not cleanly: the next start counts for the crash-loop limit. */
  readonly endsServer?: boolean
  /** A guardian that ends because of it leaves the record as it was. */
  readonly leavesRecord?: boolean
  /** What it needs of its surroundings. */
  readonly needs?: readonly ('small-disk' | 'slow-disk' | 'clock')[]
  /** The codes with which connect() may be refused, or a lease lost, because of it. */
  readonly explains?: readonly string[]
  /** Codes with which only a call for a lease may be refused: who has one does not lose it so. */
  readonly refuses?: readonly string[]
  /** Does it, or nothing when there is nobody to do it to. `draws`: what it has to choose, each from 0 up to, not including, 1. */
  inject(stage: Stage, draws: Draws): void | Promise<void>
}

export type Draws = readonly number[]

/** One of them, or undefined when there is none. */
export function pick<T>(list: readonly T[], draw = 0): T | undefined {
  return list[Math.floor(draw * list.length)]
}

export function between(low: number, high: number, draw = 0): number {
  return Math.round(low + draw * (high - low))
}
