import type { Subject } from '../subject.ts'
import { librarySubject } from './library-subject.ts'

/** What a permit costs where no other process has to be asked: a bound, not a choice. */
export const asyncMutexSubject: Subject = librarySubject({
  name: 'async-mutex',
  title: 'async-mutex',
  summary: 'a counter and a queue of promises in the memory of one process: other processes do not see it',
  kind: 'in-process',
  betweenProcesses: false,
  // Each release of it looks at all that are free.
  maxSlots: 10_000,
  waits: 'in its queue, until a release within the process',
  library: 'async-mutex',
})
