import type { UsableSubject } from './scenario.ts'

/** Why a subject has no place where several processes share a pool of `slots`; undefined: it has one. */
export function unfitForSharing({ subject }: UsableSubject, slots = 1): string | undefined {
  if (!subject.betweenProcesses) return 'no other process shares it'
  if (subject.maxSlots >= slots) return undefined
  return subject.maxSlots === 1 ? 'it is a mutex' : `its pools have ${subject.maxSlots} permits at most`
}
