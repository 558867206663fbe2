import type { GuardVerdict } from './guard.ts'

/** A line a ratio, for people. */
export function guardText(verdicts: readonly GuardVerdict[]): string {
  return verdicts.map((verdict) => `${line(verdict)}\n`).join('')
}

function line(of: GuardVerdict): string {
  if (of.verdict === 'unmeasured') return `NOT MEASURED  ${of.title}: ${of.reason}`
  const numbers = `${of.value.toFixed(2)} of at most ${of.limit}`
  if (of.verdict === 'within') return `ok            ${of.title}: ${numbers}`
  return `TOO SLOW      ${of.title}: ${numbers}, the best of ${of.measurements} measurements`
}
