import type { Subject } from '../subject.ts'
import { cFloor } from './c-floor.ts'
import { flockSubject } from './flock.ts'
import { hybridSubject } from './hybrid.ts'
import { lockfileSubject } from './lockfile.ts'
import { nativeSubject } from './native.ts'
import { ofdRangeSubject } from './ofd-range.ts'
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
]
