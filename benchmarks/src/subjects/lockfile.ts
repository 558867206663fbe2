import type { Subject } from '../subject.ts'
import { backendSubject } from './backend-subject.ts'

export const lockfileSubject: Subject = backendSubject({
  name: 'lockfile',
  title: 'lockfile()',
  summary: 'a folder a slot and its heartbeat, without native code',
  maxSlots: 1_000,
  waits: 'by a timer',
  freedByTimeout: true,
  from: '@procref/lockfile',
  load: async () => (await import('@procref/lockfile')).lockfile(),
})
