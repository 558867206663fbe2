import { seededRandom } from '@procref/testing'
import type { Driver } from '../service/service.ts'
import { FAULTS, type FaultKind } from './faults/index.ts'

/** Everything a round does, made from its seed before it begins: what happens meanwhile changes nothing of it. */
export interface Plan {
  readonly seed: number
  readonly driver: Driver
  readonly storage: 'rocksdb' | 'surrealkv'
  /** The kinds of faults that this round is about. */
  readonly kinds: readonly FaultKind[]
  readonly clients: number
  readonly lingerMs: number
  /** Left out: at once, so that the first faults meet the very first start. */
  readonly begins?: 'when all are served'
  readonly steps: readonly Step[]
}

export interface Step {
  /** After the step before. */
  readonly afterMs: number
  readonly kind: FaultKind
  /** For what the fault has to choose: each from 0 up to, not including, 1. */
  readonly draws: readonly number[]
}

/** Three rows of draws suffice for each fault: whom, how long, which way. */
const DRAWS = 3
const MOST_KINDS = 5

/** So many unclean starts in a minute are a crash loop, after which nobody may start the server for a while. */
const UNCLEAN_ENDS = 3

/** With a slot file deleted before the guardian's next look at it, only the linger keeps the server until its holder has claimed another one. */
const LONG_LINGER_MS = 10_000
const SHORT_LINGER_MS = 500

/**
 * The round of a seed. Each is about a few kinds only: a mix of everything would hide what needs one thing again and again (swarm testing: Groce
 * and others, ISSTA 2012). `among`: only these.
 */
export function planOf(seed: number, driver: Driver, among: readonly FaultKind[] = ALL_KINDS): Plan {
  const random = seededRandom(seed)
  const below = (n: number): number => Math.floor(random() * n)
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T
  const kinds = new Set<FaultKind>()
  for (let count = Math.min(2 + below(MOST_KINDS - 1), among.length); kinds.size < count; ) kinds.add(pick(among))
  const chosen = [...kinds]
  const steps: Step[] = []
  let uncleanEnds = 0
  for (let left = 4 + below(9); left > 0; left--) {
    const kind = pick(chosen)
    const afterMs = below(3) === 0 ? below(30) : below(1_500)
    const draws = Array.from({ length: DRAWS }, random)
    if (FAULTS[kind].endsServer && ++uncleanEnds > UNCLEAN_ENDS) continue
    steps.push({ kind, afterMs, draws })
  }
  const storage = pick(['rocksdb', 'rocksdb', 'surrealkv'] as const)
  return {
    seed,
    driver,
    storage: losesRows(driver, chosen) ? 'rocksdb' : storage,
    kinds: chosen,
    clients: 2 + below(5),
    lingerMs: chosen.includes('delete-slots') ? LONG_LINGER_MS : SHORT_LINGER_MS,
    // On a busy machine all of the others may be over before a server is there.
    ...(below(2) === 0 && { begins: 'when all are served' }),
    steps,
  }
}

/** What nobody can promise (docs/reliability.md, "A full disk"): what an executable's SurrealKV acknowledges after a refusal is lost by a kill. */
function losesRows(driver: Driver, kinds: readonly FaultKind[]): boolean {
  return driver === 'binary' && kinds.includes('full-disk')
}

export const ALL_KINDS: readonly FaultKind[] = Object.keys(FAULTS) as FaultKind[]
