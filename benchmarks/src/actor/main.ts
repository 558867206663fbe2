// The actor of subjects in JavaScript: `main.js POOL_MODULE DIR SLOTS`; see protocol.ts.
import { spawn } from 'node:child_process'
import type { OpenPool, SubjectClaim, SubjectPool } from '../subject.ts'
import { thinned } from '../thinned.ts'
import { answerLines, type Requests, say } from './answer-lines.ts'
import type { Answers, Claimed, Passed, Waiting } from './protocol.ts'

const MOST_SAMPLES = 1_000

interface Unsupported {
  readonly unsupported: string
}

const [, , module = '', dir = '', slots = ''] = process.argv
const open = await orSay(async () => ((await import(module)) as { open: OpenPool }).open)
const pool: SubjectPool = await orSay(() => open(dir, Number(slots)))
const held: SubjectClaim[] = []

const requests: Requests = {
  async try(): Promise<Answers['try']> {
    const began = process.hrtime.bigint()
    const claim = await pool.tryClaim()
    const tookNs = Number(process.hrtime.bigint() - began)
    if (claim !== undefined) held.push(claim)
    return { slot: claim?.slot ?? null, tookNs }
  },
  async wait(): Promise<Claimed> {
    const claiming = pool.claim()
    say({ waiting: true } satisfies Waiting)
    const claim = await claiming
    const atNs = String(process.hrtime.bigint())
    held.push(claim)
    return { slot: claim.slot, atNs }
  },
  async pass([microseconds = 0]): Promise<Passed> {
    const before = process.cpuUsage()
    const claiming = pool.claim()
    say({ waiting: true } satisfies Waiting)
    const claim = await claiming
    const at = process.hrtime.bigint()
    const cpuNs = processorNs(before)
    let releasing = at
    while (releasing - at < microseconds * 1_000) releasing = process.hrtime.bigint()
    await claim.release()
    return { atNs: String(at), releasingNs: String(releasing), cpuNs }
  },
  async release(): Promise<Answers['release']> {
    const atNs = String(process.hrtime.bigint())
    await held.pop()?.release()
    return { atNs }
  },
  async fill([count = 0]): Promise<Answers['fill']> {
    for (let n = 0; n < count; n++) {
      const claim = await pool.tryClaim()
      if (claim === undefined) break
      held.push(claim)
    }
    return { held: held.length }
  },
  async drop([count = 0]): Promise<Answers['drop']> {
    for (let n = 0; n < count; n++) {
      const [claim] = held.splice(Math.floor(Math.random() * held.length), 1)
      await claim?.release()
    }
    return { held: held.length }
  },
  measure: async ([batches = 0, size = 0]): Promise<Answers['measure']> => {
    await pairs(size)
    const ns: number[] = []
    const before = process.cpuUsage()
    for (let n = 0; n < batches; n++) {
      const began = process.hrtime.bigint()
      await pairs(size)
      ns.push(Number(process.hrtime.bigint() - began) / size)
    }
    return { ns, cpuNs: processorNs(before) / (batches * size) }
  },
  async first([times = 0]): Promise<Answers['first']> {
    const ns: number[] = []
    for (let n = 0; n < times; n++) {
      const fresh = await open(dir, Number(slots))
      const began = process.hrtime.bigint()
      const claiming = fresh.tryClaim()
      const claim = claiming instanceof Promise ? await claiming : claiming
      ns.push(Number(process.hrtime.bigint() - began))
      if (claim === undefined) throw new Error('a new pool found no free permit')
      await claim.release()
      await fresh.close()
    }
    return { ns }
  },
  async search([times = 0]): Promise<Answers['search']> {
    const ns: number[] = []
    const found: SubjectClaim[] = []
    for (let n = 0; n < times; n++) {
      const began = process.hrtime.bigint()
      const claiming = pool.tryClaim()
      const claim = claiming instanceof Promise ? await claiming : claiming
      ns.push(Number(process.hrtime.bigint() - began))
      if (claim === undefined) throw new Error(`only ${n} of ${times} free permits were found`)
      found.push(claim)
    }
    for (const claim of found) await claim.release()
    return { ns }
  },
  async compete([milliseconds = 0]): Promise<Answers['compete']> {
    const waits: number[] = []
    const before = process.cpuUsage()
    let claims = 0
    const end = process.hrtime.bigint() + BigInt(milliseconds) * 1_000_000n
    for (let now = process.hrtime.bigint(); now < end; ) {
      const claim = await pool.claim()
      const got = process.hrtime.bigint()
      waits.push(Number(got - now))
      if (got < end) claims++
      await claim.release()
      now = process.hrtime.bigint()
    }
    return { claims, waitNs: thinned(waits, MOST_SAMPLES), cpuNs: processorNs(before) / Math.max(1, waits.length) }
  },
  child(): Answers['child'] {
    const child = spawn('sleep', ['600'], { stdio: 'ignore' })
    if (child.pid === undefined) throw new Error('sleep could not be started')
    child.unref()
    return { pid: child.pid }
  },
  fork: () => ({ unsupported: 'Node has no fork without exec' }),
  async verify(): Promise<Answers['verify'] | Unsupported> {
    const verifying = held.at(-1)?.verify?.()
    return verifying === undefined ? { unsupported: 'a holder cannot ask' } : { isOurs: await verifying }
  },
  async holders(): Promise<Answers['holders'] | Unsupported> {
    const asking = pool.holders?.()
    return asking === undefined ? { unsupported: 'it does not tell who holds its permits' } : { pids: await asking }
  },
}

/** Whoever cannot open the pool says so in place of `ready`. */
async function orSay<T>(task: () => T | Promise<T>): Promise<T> {
  try {
    return await task()
  } catch (error) {
    say({ error: error instanceof Error ? error.message : String(error) })
    process.exit(1)
  }
}

/** Awaits only what has to be awaited: a subject that answers at once pays for no promise. */
async function pairs(count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const claiming = pool.tryClaim()
    const claim = claiming instanceof Promise ? await claiming : claiming
    if (claim === undefined) throw new Error('no permit is free although nobody else is there')
    const releasing = claim.release()
    if (releasing instanceof Promise) await releasing
  }
}

function processorNs(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) * 1_000
}

await answerLines(requests)
for (const claim of held) await claim.release()
await pool.close()
