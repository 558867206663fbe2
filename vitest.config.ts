import { defineConfig } from 'vitest/config'

/** Tests wait for events: the limit says "hangs", not "slow". */
const HANGS_MS = 120_000

export default defineConfig({
  test: {
    include: [
      'packages/*/test/**/*.test.ts',
      'tests/{chaos,fuzz,migration,mixed,model,places,python-sdk,repository,security,service}/**/*.test.ts',
      'examples/*/test/**/*.test.ts',
      'benchmarks/test/**/*.test.ts',
    ],
    testTimeout: HANGS_MS,
    hookTimeout: HANGS_MS,
    pool: 'forks',
    // Every file starts real processes and waits for them a good part of its time: on two cores four at a time take three quarters of what two at a
    // time take. Three leave the machine some room: some tests start dozens of processes.
    maxWorkers: 3,
  },
})
