import { Redis } from 'ioredis'
import { Semaphore } from 'redis-semaphore'
import type { OpenPool, SubjectClaim } from '../../subject.ts'
import { UNNUMBERED } from '../../subject.ts'

const PATIENCE_MS = 120_000

/** A semaphore object has one permit at most, so each claim has its own; all share one connection. */
export const open: OpenPool = async (dir, slots) => {
  const { PROCREF_BENCH_REDIS_PORT: port, PROCREF_BENCH_REDIS_PASSWORD: password } = process.env
  if (port === undefined || password === undefined) throw new Error('no Redis server was named')
  const redis = new Redis({ host: '127.0.0.1', port: Number(port), password, lazyConnect: true })
  await redis.connect()
  const semaphoreOf = (acquireAttemptsLimit: number): Semaphore =>
    new Semaphore(redis, dir, slots, { acquireTimeout: PATIENCE_MS, acquireAttemptsLimit })
  const claimOf = (semaphore: Semaphore): SubjectClaim => ({ slot: UNNUMBERED, release: () => semaphore.release() })
  return {
    async tryClaim() {
      // "try" alone only means that the time-out is no error.
      const semaphore = semaphoreOf(1)
      return (await semaphore.tryAcquire()) ? claimOf(semaphore) : undefined
    },
    async claim() {
      const semaphore = semaphoreOf(Number.POSITIVE_INFINITY)
      await semaphore.acquire()
      return claimOf(semaphore)
    },
    close: () => redis.disconnect(),
  }
}
