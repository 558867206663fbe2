import type { FileLocker, ProtocolPin, Selection } from '@procref/core'
import type { Examination } from './check.ts'
import type { Attempt } from './look-around.ts'

/** One of the directory's two pools of slots, and what is known of it. */
export interface PoolSeen {
  /** `own`: those who hold its slots keep the server up. `elsewhere`: they use a server elsewhere, and no guardian looks at them. */
  readonly of: 'own' | 'elsewhere'
  /** `slots/` or `external/`; protocol.json is in there. */
  readonly folder: string
  readonly pin: Attempt<ProtocolPin | undefined>
  /** Where the slots are: `folder`, or the folder in it that they were moved to. */
  readonly slotsDir: string
  /** What a program would use here, and why. */
  readonly selection: Attempt<Selection>
  /** Locks with which those of the pool can be looked at; `undefined`: nothing that is installed can. */
  readonly locks: FileLocker | undefined
}

/** The pools of a directory: of its own server, and, if anybody has ever used one through it, of servers elsewhere. */
export interface PoolsSeen extends PoolSeen {
  readonly elsewhere: PoolSeen | undefined
}

/** The same look at each pool that there is, in one. */
export async function ofEachPool(
  seen: PoolsSeen,
  look: (pool: PoolSeen) => Examination | Promise<Examination>,
): Promise<Examination> {
  const own = await look(seen)
  if (seen.elsewhere === undefined) return own
  const elsewhere = await look(seen.elsewhere)
  return {
    found: `${own.found}; ${elsewhereFound(elsewhere.found)}`,
    findings: [...own.findings, ...elsewhere.findings],
  }
}

/** What was found of the slots of those who use a server elsewhere, beside what was found of the others. */
export function elsewhereFound(found: string): string {
  return `for servers elsewhere: ${found}`
}
