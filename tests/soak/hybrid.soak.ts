import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { join } from 'node:path'
import { hybrid } from '@procref/hybrid'
import { freshDir, removeSemaphoresAfterwards } from '@procref/testing'
import { expect, test } from 'vitest'
import { fire } from '../../packages/hybrid/test/fire.ts'
import { expectAllPermits } from '../../packages/hybrid/test/settled.ts'

const MINUTES = Number(process.env.PROCREF_SOAK_HYBRID_MINUTES ?? 5)

removeSemaphoresAfterwards()

test(`hybrid() under fire for ${MINUTES} minutes`, { timeout: 0 }, async () => {
  const dir = freshDir()
  const { maxRecoveryMs } = hybrid().guarantees
  const result = await fire({ dir, forMs: MINUTES * 60_000 })
  const permits = await expectAllPermits(join(dir, 'slots')).then(
    () => 'exactly as many as slots',
    (error: Error) => error.message,
  )
  const machine = { node: process.version, kernel: release(), cores: cpus().length }
  const folder = new URL('./results/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  const report = { date: new Date().toISOString(), machine, minutes: MINUTES, maxRecoveryMs, permits, ...result }
  writeFileSync(new URL('hybrid.json', folder), `${JSON.stringify(report, null, 2)}\n`)
  expect(result.overlaps).toEqual([])
  expect(permits).toBe('exactly as many as slots')
  expect(result.longestRecoveryMs).toBeLessThanOrEqual(maxRecoveryMs)
})
