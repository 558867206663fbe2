import { HANGS_MS } from '@procref/testing'
import type { Client } from '../client.ts'
import { FAULTS, type FaultKind } from '../faults/index.ts'
import type { Invariant } from './invariant.ts'

/**
 * Whoever calls gets an answer within its time-out (and what a busy machine needs beside it), and an answer is a lease or an error of ours
 * that one of the round's faults explains; so is the end of a lease.
 */
export function answers(kinds: readonly FaultKind[]): Invariant {
  const explained = new Set(kinds.flatMap((kind) => FAULTS[kind].explains ?? []))
  const refusals = new Set(kinds.flatMap((kind) => FAULTS[kind].refuses ?? []))
  const told = new Set<Client>()
  const isExplained = (client: Client, code: string): boolean =>
    explained.has(code) ||
    (client.lost === undefined && refusals.has(code)) ||
    (code === 'PROCREF_CONNECT_TIMEOUT' && client.timeoutMs < PATIENT_MS)
  return {
    look({ clients }) {
      return clients.flatMap((client) => {
        if (told.has(client) || client.isDismissed) return []
        const wrong = whatIsWrong(client, isExplained)
        if (wrong === undefined) return []
        told.add(client)
        return [{ broken: 'a caller without an answer', text: wrong }]
      })
    },
  }
}

/** A client with so much time that whatever happens in a round is over before. */
export const PATIENT_MS = 60_000

function whatIsWrong(client: Client, isExplained: (client: Client, code: string) => boolean): string | undefined {
  const { name, refused, lost, waitsForMs, timeoutMs } = client
  if (waitsForMs > timeoutMs + HANGS_MS)
    return `${name} has no answer after ${Math.round(waitsForMs)} of ${timeoutMs} ms`
  for (const [what, answer] of [['was refused', refused] as const, ['lost its lease', lost] as const]) {
    if (answer === undefined) continue
    const code = String(answer.code)
    if (!code.startsWith('PROCREF_')) return `${name} ${what} with no error of ours: ${code} ${answer.message}`
    if (!isExplained(client, code)) return `${name} ${what} and no fault explains it: ${code} ${answer.message}`
  }
  if (client.hasEnded && refused === undefined && lost === undefined) {
    return `${name} ended by itself, without an answer: ${client.errors()}`
  }
  return undefined
}
