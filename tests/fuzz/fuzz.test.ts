import { expect, test } from 'vitest'
import { fuzz } from './fuzz.ts'
import { TARGETS } from './targets/index.ts'

/** Always the same inputs: CI fails for what was changed, not by chance. `pnpm soak` takes new ones. */
const SEED = Number(process.env.PROCREF_FUZZ_SEED ?? 20_261_129)
/** As a finding tells it: with its seed, and `-t` and the title, exactly that input is given again. */
const PATH = process.env.PROCREF_FUZZ_PATH
/** Hundreds of inputs, each a step of its own, and then each step in which a finding is made smaller. */
const TIME_LIMIT_MS = 1_200_000

test.for(TARGETS.map((target) => [target.title, target] as const))(
  '%s',
  { timeout: TIME_LIMIT_MS },
  async ([, target]) => {
    const { inputs, finding } = await fuzz(target, { seed: SEED, inputs: target.sample, ...(PATH && { path: PATH }) })
    expect(finding).toBeUndefined()
    if (PATH === undefined) expect(inputs).toBe(target.sample)
  },
)
