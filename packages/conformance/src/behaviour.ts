import type { SlotBackend } from '@procref/core'
import type { Context } from './context.ts'

/** One thing that users of a slot backend rely on: a file under `behaviours/`. */
export interface Behaviour {
  /** The file's name. */
  readonly name: string
  /** What is checked of this backend: its promises in full, and for what it does not promise the weaker check that still holds. */
  claims(backend: SlotBackend): readonly Claim[]
}

/** A sentence that must be true of the backend, and how to find out. */
export interface Claim {
  readonly title: string
  /** The promise that this backend does not make; the claim is what holds without it. Listed in the suite's output. */
  readonly insteadOf?: string
  /** Rejects when the claim is not true. */
  check(context: Context): Promise<void>
}
