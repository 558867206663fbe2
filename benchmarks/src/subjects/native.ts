import type { Subject } from '../subject.ts'
import { backendSubject } from './backend-subject.ts'

export const nativeSubject: Subject = backendSubject({
  name: 'native',
  title: 'native()',
  summary: 'flock(2) on one file a slot, from Rust',
  maxSlots: 10_000,
  waits: 'in the kernel: woken by the release or death of a holder',
  from: '@procref/native',
  load: async () => (await import('@procref/native')).native(),
})
