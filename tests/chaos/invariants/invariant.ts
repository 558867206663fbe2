import type { Client } from '../client.ts'
import type { Process } from '../processes.ts'
import type { Stage } from '../stage.ts'
import type { Violation } from '../violation.ts'

/** What is to be seen of a round from outside at one moment. */
export interface Look {
  readonly pids: readonly number[]
  /** Who has the database open. */
  readonly servers: readonly Process[]
  /** All that ever were. */
  readonly clients: readonly Client[]
}

/** What must be true of every round, whatever its faults. One for each round: it may remember what it saw. */
export interface Invariant {
  /** Several times a second; what it answers is what is wrong. */
  look(look: Look, stage: Stage): readonly Violation[]
}
