import { setTimeout as after } from 'node:timers/promises'
import { type Child, startChild } from '@procref/testing'
import type { TestServer } from '../server.ts'
import { rssMb, settledMb } from './memory.ts'

/** What the witness saw. */
interface Latency {
  readonly answers: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export interface BurdenResult {
  readonly burden: string
  readonly tookMs: number
  readonly outcome: object
  readonly rssMb: { readonly before: number; readonly peak: number; readonly after: number }
  readonly latencyMs: { readonly without: Latency; readonly with: Latency }
}

/** Longer than any burden takes on a busy machine. */
const MAX_BEATS = 100
/** So long the server has to give back what the burden made it take. */
const SETTLES_MS = 20_000
/** So long the witness asks without the burden. */
const COMPARED_MS = 5_000

/**
 * One client is a burden to the server, in a process of its own, while another one in a process of its own asks small questions and
 * takes the time. Before, during, and after the burden has gone.
 */
export async function carry(server: TestServer, burden: string): Promise<BurdenResult> {
  await using witness = await start('witness', server.port)
  const before = rssMb(server.child.pid)
  const without = await measure(witness, async () => void (await after(COMPARED_MS)))
  let peak = before
  const watch = setInterval(() => {
    peak = Math.max(peak, rssMb(server.child.pid))
  }, 50)
  try {
    let outcome: object = {}
    let tookMs = 0
    const latency = await measure(witness, async () => {
      await using carrier = await start('burden', server.port, burden)
      const began = performance.now()
      carrier.send('go')
      outcome = await outcomeOf(carrier)
      tookMs = performance.now() - began
      // What waits where nothing is answered: connections, half a frame.
      if (tookMs < COMPARED_MS) await after(COMPARED_MS)
    })
    const settled = await settledMb(server.child.pid, before, SETTLES_MS)
    return { burden, tookMs, outcome, rssMb: { before, peak, after: settled }, latencyMs: { without, with: latency } }
  } finally {
    clearInterval(watch)
  }
}

async function start(program: string, port: number, ...args: readonly string[]): Promise<Child> {
  const child = startChild(new URL(`./${program}.mjs`, import.meta.url), { args: [String(port), ...args] })
  await child.event('ready')
  return child
}

async function outcomeOf(carrier: Child): Promise<object> {
  for (let beat = 0; beat < MAX_BEATS; beat++) {
    const { outcome } = await carrier.event<{ outcome?: object }>('beat')
    if (outcome !== undefined) return outcome
  }
  throw new Error('the burden is still carried')
}

async function measure(witness: Child, during: () => Promise<void>): Promise<Latency> {
  witness.send('measure')
  await witness.event('measuring')
  await during()
  witness.send('stop')
  const { answers, p50, p99, max } = await witness.event<Latency>('measured')
  return { answers, p50, p99, max }
}
