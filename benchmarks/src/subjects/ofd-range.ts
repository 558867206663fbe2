import type { Subject } from '../subject.ts'
import { backendSubject } from './backend-subject.ts'

export const ofdRangeSubject: Subject = backendSubject({
  name: 'ofd-range',
  title: 'ofdRange()',
  summary: 'fcntl(2) locks of open file descriptions, one byte a slot',
  maxSlots: 100_000,
  waits: 'in the kernel: woken by the release or death of a holder',
  from: '@procref/native',
  load: async () => (await import('@procref/native')).ofdRange(),
})
