import type { Subject } from '../subject.ts'
import { asyncMutexSubject } from './async-mutex.ts'
import { cFloor } from './c-floor.ts'
import { crossProcessLockSubject } from './cross-process-lock.ts'
import { flockSubject } from './flock.ts'
import { fsExtSubject } from './fs-ext.ts'
import { hybridSubject } from './hybrid.ts'
import { lockfileSubject } from './lockfile.ts'
import { nativeSubject } from './native.ts'
import { ofdRangeSubject } from './ofd-range.ts'
import { osLockSubject } from './os-lock.ts'
import { properLockfileSubject } from './proper-lockfile.ts'
import { robustMutexSubject } from './robust-mutex.ts'
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
  asyncMutexSubject,
  fsExtSubject,
  osLockSubject,
  properLockfileSubject,
  crossProcessLockSubject,
]
