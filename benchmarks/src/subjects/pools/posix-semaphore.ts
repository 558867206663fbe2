import { PosixSemaphore } from '@procref/native'
import type { OpenPool, SubjectClaim } from '../../subject.ts'
import { UNNUMBERED } from '../../subject.ts'

export const open: OpenPool = (_dir, slots) => {
  const { PROCREF_BENCH_SEMAPHORE: name } = process.env
  if (name === undefined) throw new Error('PROCREF_BENCH_SEMAPHORE names no semaphore')
  const semaphore = PosixSemaphore.open(name, { permits: slots })
  const claim: SubjectClaim = { slot: UNNUMBERED, release: () => semaphore.post() }
  const patience = new AbortController()
  return {
    tryClaim: () => (semaphore.tryWait() ? claim : undefined),
    async claim() {
      if (!semaphore.tryWait()) await semaphore.wait({ signal: patience.signal })
      return claim
    },
    close() {
      patience.abort()
      semaphore.close()
    },
  }
}
