import { type ControlGroup, openFiles } from '@procref/testing'
import type { Client } from './client.ts'
import type { Excuses } from './excuses.ts'
import type { Process } from './processes.ts'
import type { Surroundings } from './surroundings.ts'
import type { Trace } from './trace.ts'

/** What a fault can reach. */
export interface Stage {
  readonly dir: string
  readonly surroundings: Surroundings
  readonly group: ControlGroup
  readonly excuses: Excuses
  readonly trace: Trace
  /** Those that nobody has dismissed and that are there. */
  clients(): readonly Client[]
  /** On their way in or out, too. */
  guardians(): readonly Process[]
  /** Who has the database open; with the embedded engine the guardian. */
  servers(): readonly Process[]
  join(): void
  /** Undone after so long, or when the round is over, whatever is first. */
  forAWhile(ms: number, undo: () => void): void
  /** `procref <words>` on the directory; its end is waited for when the round is over. */
  command(...words: readonly string[]): void
  /** Somebody else's program takes the port when it is free, and keeps it so long. */
  stealPort(port: number, ms: number): void
  /** The pid of a process that has nothing to do with it, and may hear of nobody. */
  bystander(): Promise<number>
}

/** Who of these has a file of the database open that is at its path. */
export function databaseUsers(dir: string, pids: readonly number[]): readonly number[] {
  return pids.filter((pid) =>
    openFiles(pid).some(({ target }) => target.startsWith(`${dir}/data/db/`) && !target.endsWith(' (deleted)')),
  )
}
