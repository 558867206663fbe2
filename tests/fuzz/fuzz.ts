import fc from 'fast-check'
import type { FuzzTarget } from './target.ts'

export interface FuzzOptions {
  /** The same one makes the same inputs. */
  readonly seed: number
  /** At most so many inputs; left out: as many as fit into `milliseconds`. */
  readonly inputs?: number
  readonly milliseconds?: number
  /** Where a finding is, as an earlier run has told: only that input is given. */
  readonly path?: string
}

export interface FuzzOutcome {
  readonly inputs: number
  readonly seconds: number
  /** The smallest input that was found to do it, and how to give it again; undefined: no input did anything that must not be. */
  readonly finding?: string
}

/** Gives a target inputs, one after the other. A finding is made as small as it can be. Rejects when the target cannot be opened. */
export async function fuzz(target: FuzzTarget, options: FuzzOptions): Promise<FuzzOutcome> {
  const { seed, inputs = 1_000_000_000, milliseconds, path } = options
  const began = performance.now()
  await using subject = await target.open()
  const property = fc.asyncProperty(target.inputs, async (input) => await subject.feed(input))
  const run = await fc.check(property, {
    seed,
    numRuns: inputs,
    ...(path === undefined ? {} : { path }),
    // No input at all within that time would be a failure, and is told as one.
    ...(milliseconds === undefined ? {} : { interruptAfterTimeLimit: milliseconds, markInterruptAsFailure: false }),
  })
  let finding: string | undefined
  if (run.failed)
    finding = `${shown(run.counterexample)}: ${told(run.errorInstance)} (seed ${seed}, path ${run.counterexamplePath})`
  else if (run.numRuns === 0) finding = 'no input was given'
  else {
    try {
      await subject.settle?.()
    } catch (error) {
      finding = `after all of them: ${told(error)} (seed ${seed})`
    }
  }
  const seconds = Math.round((performance.now() - began) / 1_000)
  return { inputs: run.numRuns, seconds, ...(finding === undefined ? {} : { finding }) }
}

const MOST_SHOWN = 2_000

function shown(counterexample: unknown): string {
  const [input] = Array.isArray(counterexample) ? counterexample : [counterexample]
  const text = input instanceof Uint8Array ? JSON.stringify(Buffer.from(input).toString('latin1')) : fc.stringify(input)
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}… (${text.length} characters)` : text
}

function told(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
