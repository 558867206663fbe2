import type { Subject } from '../subject.ts'
import { backendSubject } from './backend-subject.ts'

export const sysvSubject: Subject = backendSubject({
  name: 'sysv',
  title: 'sysv()',
  summary: 'System V semaphores with SEM_UNDO',
  maxSlots: 100,
  waits: 'in the kernel: first come, first served',
  from: '@procref/native',
  isSwept: true,
  load: async () => (await import('@procref/native')).sysv(),
})
