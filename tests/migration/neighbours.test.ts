import { join } from 'node:path'
import { type MigrationPhase, migrating } from '@procref/core'
import { freshDir, removeSemaphoresAfterwards, removeSetsAfterwards, shareOf } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { describeMigration, PAIRS, SLOW_PAIRS } from './pairs.ts'
import { runNeighbours } from './run.ts'

/** 0: plain users of the old backend. */
const NEIGHBOURS = [
  [0, 1],
  [1, 2],
  [2, 3],
] as const

/** Twenty programs at once, and one more for each that was killed: on two cores that have other work, too. */
const MANY_STARTS_MS = 300_000

describeMigration('migrating()', () => {
  removeSetsAfterwards()
  removeSemaphoresAfterwards()

  describe.each([...PAIRS, ...SLOW_PAIRS].map((pair, n) => [pair.name, pair, n] as const))(
    'from %s',
    (_name, { from, to }, n) => {
      // One pair takes the first and the last, the next one what is between them.
      test.each(shareOf(NEIGHBOURS, n % 2, [0, 1]))(
        'ten holders of part %d and ten of part %d, killed at random, never have one slot at once, and each sees the others',
        async (one, other) => {
          const dir = freshDir()
          // A directory in which the migration has begun; phase 3 alone would have a new one for itself.
          const began = migrating({ from: from(), to: to(), phase: Math.min(other, 2) as MigrationPhase })
          await (await began.open(join(dir, 'slots'), { slots: 4 })).close()
          const parts = [one, other] as const
          const names = { from: from().name, to: to().name }
          const result = await runNeighbours({ dir, ...names, parts, claimsOfEach: 100, kills: 20 })
          expect(result.faults).toEqual([])
        },
        MANY_STARTS_MS,
      )

      test('plain users of the old backend do not see phase 2, which is no neighbour of theirs: that is found out', {
        timeout: MANY_STARTS_MS,
      }, async () => {
        const names = { from: from().name, to: to().name }
        const result = await runNeighbours({ dir: freshDir(), ...names, parts: [0, 2], claimsOfEach: 100, kills: 5 })
        expect(result.faults).toContainEqual(expect.objectContaining({ event: 'unseen', part: '2', neighbour: '0' }))
      })
    },
  )
})
