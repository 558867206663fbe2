import type { Subject } from '../subject.ts'
import { asyncMutexSubject } from './async-mutex.ts'
import { cFloor } from './c-floor.ts'
import { crateSubject } from './crate.ts'
import { crossProcessLockSubject } from './cross-process-lock.ts'
import { flockSubject } from './flock.ts'
import { flockProgramSubject } from './flock-program.ts'
import { fsExtSubject } from './fs-ext.ts'
import { hybridSubject } from './hybrid.ts'
import { lockfileSubject } from './lockfile.ts'
import { nativeSubject } from './native.ts'
import { ofdRangeSubject } from './ofd-range.ts'
import { osLockSubject } from './os-lock.ts'
import { posixSemaphoreSubject } from './posix-semaphore.ts'
import { postgresSubject } from './postgres.ts'
import { properLockfileSubject } from './proper-lockfile.ts'
import { redisSubject } from './redis.ts'
import { robustMutexSubject } from './robust-mutex.ts'
import { seedSlotsSubject } from './seed-slots.ts'
import { sysvSubject } from './sysv.ts'

/** In the order of the report. */
export const SUBJECTS: readonly Subject[] = [
  cFloor,
  nativeSubject,
  flockSubject,
  lockfileSubject,
  ofdRangeSubject,
  sysvSubject,
  robustMutexSubject,
  hybridSubject,
  posixSemaphoreSubject,
  crateSubject,
  seedSlotsSubject,
  asyncMutexSubject,
  fsExtSubject,
  osLockSubject,
  properLockfileSubject,
  crossProcessLockSubject,
  flockProgramSubject,
  redisSubject,
  postgresSubject,
]
