import type { Subject } from '../subject.ts'
import { backendSubject } from './backend-subject.ts'

export const flockSubject: Subject = backendSubject({
  name: 'flock',
  title: 'flock()',
  summary: 'flock(2) on one file a slot, through fs-ext',
  maxSlots: 10_000,
  waits: 'by a timer',
  from: '@procref/flock',
  load: async () => (await import('@procref/flock')).flock(),
})
