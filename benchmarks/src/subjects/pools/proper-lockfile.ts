import { lock } from 'proper-lockfile'
import type { OpenPool, SubjectClaim } from '../../subject.ts'
import { lockableFile } from './lockable-file.ts'

/** Of the library's own kind: it doubles the pause from try to try. */
const RETRIES = { forever: true, minTimeout: 50, maxTimeout: 500, randomize: true } as const

export const open: OpenPool = (dir) => {
  const file = lockableFile(dir)
  const claimOf = (release: () => Promise<void>): SubjectClaim => ({ slot: 0, release })
  return {
    async tryClaim() {
      try {
        return claimOf(await lock(file))
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ELOCKED') return undefined
        throw error
      }
    },
    claim: async () => claimOf(await lock(file, { retries: RETRIES })),
    close() {},
  }
}
