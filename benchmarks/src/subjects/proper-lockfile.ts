import type { Subject } from '../subject.ts'
import { librarySubject } from './library-subject.ts'

export const properLockfileSubject: Subject = librarySubject({
  name: 'proper-lockfile',
  title: 'proper-lockfile',
  summary: 'a folder whose time of change its holder renews: stale, and free, 10 s after the last time',
  maxSlots: 1,
  waits: 'by a timer, from 50 to 500 ms (`retries`, as its users set them; without them it does not wait)',
  freedByTimeout: true,
  library: 'proper-lockfile',
})
