import { defineConfig } from 'vitest/config'

/** Packages are packed and installed again and again, and a whole conformance suite is run: minutes, of a machine that has other work too. */
const HANGS_MS = 1_200_000

export default defineConfig({
  test: {
    include: ['tests/packaging/*.test.ts'],
    testTimeout: HANGS_MS,
    hookTimeout: HANGS_MS,
    pool: 'forks',
    maxWorkers: 1,
  },
})
