import type { Subject } from '../subject.ts'
import { backendSubject } from './backend-subject.ts'

export const hybridSubject: Subject = backendSubject({
  name: 'hybrid',
  title: 'hybrid()',
  summary: 'a POSIX semaphore, a registry of holders and a watchdog',
  maxSlots: 1_000,
  waits: 'by a timer',
  from: '@procref/hybrid',
  isSwept: true,
  load: async () => (await import('@procref/hybrid')).hybrid(),
})
