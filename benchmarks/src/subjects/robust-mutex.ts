import type { Subject } from '../subject.ts'
import { backendSubject } from './backend-subject.ts'

export const robustMutexSubject: Subject = backendSubject({
  name: 'robust-mutex',
  title: 'robustMutex()',
  summary: 'robust pthread mutexes in shared memory',
  maxSlots: 1_000,
  waits: 'in the kernel: all who wait for a slot are woken',
  from: '@procref/native',
  load: async () => (await import('@procref/native')).robustMutex(),
})
