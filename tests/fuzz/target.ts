import type { Arbitrary } from 'fast-check'

/** Something that reads what others wrote, and inputs that are nearly what it expects. */
export interface FuzzTarget<Input = unknown> {
  /** Stable, lower-case, with hyphens. */
  readonly name: string
  readonly title: string
  readonly inputs: Arbitrary<Input>
  /** So many inputs are a sample for CI, in some ten seconds at most. */
  readonly sample: number
  open(): Promise<FuzzSubject<Input>>
}

export interface FuzzSubject<Input> extends AsyncDisposable {
  /**
   * Gives it one input. Rejects when something happened that must not, whatever the input is: that is a finding. Can be called again after
   * that, also when the finding was the end of a process.
   */
  feed(input: Input): Promise<void>
  /** What must hold in the end, such as what was taken and given back. Rejects as `feed` does. */
  settle?(): Promise<void>
}

/** Keeps the type of the inputs between `inputs` and `feed`, and gives it up afterwards: a list has targets of all kinds. */
export function fuzzTarget<Input>(target: FuzzTarget<Input>): FuzzTarget {
  return target as unknown as FuzzTarget
}
