import type { Replacement } from '../../service/installation.ts'
import type { Driver, StartClient } from '../../service/service.ts'
import type { FaultKind } from '../faults/index.ts'
import type { Step } from '../plan.ts'
import type { Broken } from '../violation.ts'

/** A bug as somebody could make it: procref still connects, writes, and passes for well, until something goes wrong around it. */
export interface PlantedBug extends Replacement {
  readonly name: string
  /** What it breaks, in the words of docs/reliability.md or of the sources. */
  readonly rule: string
  readonly text: string
  /** What shows it is that something never happens: a minute or more, which `pnpm soak planted` takes (PROCREF_EVERY_PLANTED_BUG=1). */
  readonly slow?: true
  /** Any of them, whichever is seen first. */
  readonly seenAs: readonly Broken[]
  /** The one kind of server with which it can be seen. */
  readonly driver?: Driver
  readonly hint: Hint
}

/** How to meet it soon: rounds of certain kinds of faults, as chance has them; a round that is written down; or steps that only a test can force. */
export type Hint =
  | { readonly faults: readonly FaultKind[] }
  | { readonly round: WrittenRound }
  | { readonly scenario: Scenario }

export interface WrittenRound {
  readonly clients: number
  readonly lingerMs: number
  readonly steps: readonly Step[]
}

/** Plays with the clients of an installation; answers what was wrong, if anything was. */
export type Scenario = (start: StartClient) => Promise<Broken | undefined>
