import { defineConfig } from 'vitest/config'

/** `pnpm soak`: what CI samples, repeated. One after the other: each of them fills the machine. */
export default defineConfig({
  test: {
    include: ['tests/soak/*.soak.ts'],
    testTimeout: 300_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 1,
    reporters: ['verbose'],
  },
})
