import type { Loss } from '../service/power-cuts.ts'

/** What came of one cut: what is missing; or, where no server starts on what is left, the code of the error that says so. */
export type Outcome = Loss | { readonly refused: string }

interface Spread {
  readonly median: number
  readonly max: number
}

export interface Losses {
  readonly cuts: number
  /** How many were refused, by code. */
  readonly refused: Readonly<Record<string, number>>
  /** Before the last of the cuts. */
  readonly acknowledged: number
  readonly cutsThatLost: number
  /** Of the cuts that lost any. */
  readonly lostRows: Spread
  readonly lostMs: Spread
  readonly gaps: number
}

export function losses(outcomes: readonly Outcome[]): Losses {
  const refused: Record<string, number> = {}
  const seen: Loss[] = []
  for (const outcome of outcomes) {
    if ('refused' in outcome) refused[outcome.refused] = (refused[outcome.refused] ?? 0) + 1
    else seen.push(outcome)
  }
  const lost = seen.filter(({ lostRows, gaps }) => lostRows > 0 || gaps > 0)
  return {
    cuts: outcomes.length,
    refused,
    acknowledged: Math.max(0, ...seen.map((loss) => loss.acknowledged)),
    cutsThatLost: lost.length,
    lostRows: spread(lost.map((loss) => loss.lostRows)),
    lostMs: spread(lost.map((loss) => loss.lostMs)),
    gaps: seen.reduce((sum, loss) => sum + loss.gaps, 0),
  }
}

function spread(numbers: readonly number[]): Spread {
  const sorted = [...numbers].sort((a, b) => a - b)
  return { median: sorted[Math.floor((sorted.length - 1) / 2)] ?? 0, max: sorted.at(-1) ?? 0 }
}
