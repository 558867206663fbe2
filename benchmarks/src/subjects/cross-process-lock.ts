import type { Subject } from '../subject.ts'
import { librarySubject } from './library-subject.ts'

export const crossProcessLockSubject: Subject = librarySubject({
  name: 'cross-process-lock',
  title: 'cross-process-lock',
  summary:
    "a file with its holder's process id, looked at and then written; free again 20 minutes after the holder died",
  maxSlots: 1,
  waits: 'by a timer of 500 ms, and a refusal takes as long',
  freedByTimeout: true,
  library: 'cross-process-lock',
})
