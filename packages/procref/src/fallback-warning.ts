import type { Selection } from '@procref/core'

const warned = new Set<string>()

/**
 * Says once in this process, as a warning of Node's (`process.on('warning')`, code `PROCREF_BACKEND_FALLBACK`), that a better backend
 * does not work here, why, and which one is used instead.
 */
export function warnOfFallback({ backend, rejected }: Selection): void {
  if (rejected.length === 0) return
  const reasons = rejected.map(({ name, reason }) => `\n  not ${name}: ${reason}`).join('')
  const silence = `PROCREF_BACKEND=${backend.name} chooses it on purpose, without this warning`
  const text = `the backend ${backend.name} is used, the best one that works here (${silence}):${reasons}`
  if (warned.has(text)) return
  warned.add(text)
  process.emitWarning(text, { type: 'ProcrefWarning', code: 'PROCREF_BACKEND_FALLBACK' })
}
