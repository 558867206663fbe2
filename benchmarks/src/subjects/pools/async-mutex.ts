import { Semaphore } from 'async-mutex'
import type { OpenPool, SubjectClaim } from '../../subject.ts'
import { UNNUMBERED } from '../../subject.ts'

export const open: OpenPool = (_dir, slots) => {
  const semaphore = new Semaphore(slots)
  const claim = async (): Promise<SubjectClaim> => {
    const [, release] = await semaphore.acquire()
    return { slot: UNNUMBERED, release }
  }
  return {
    tryClaim: () => (semaphore.isLocked() ? undefined : claim()),
    claim,
    close() {},
  }
}
