import type { Answers, Planned } from './answers.ts'

/** An answer that is another one on the real server. */
export interface Difference extends Planned {
  readonly call: string
  readonly ours: unknown
  readonly real: unknown
}

interface KnownDifference {
  readonly reason: string
  /** What it is seen in, as `client: name: call`. */
  readonly where: RegExp
}

/** Differences that stay. One that is not seen any more has to go: the test says so. */
const KNOWN: readonly KnownDifference[] = []

/** Why the two differ, if that is known. */
export function reasonOf(difference: Difference): string | undefined {
  return KNOWN.find(({ where }) => where.test(nameOf(difference)))?.reason
}

/** The reasons that explain none of these. */
export function unneeded(differences: readonly Difference[]): readonly string[] {
  return KNOWN.filter(({ where }) => !differences.some((each) => where.test(nameOf(each)))).map(({ reason }) => reason)
}

function nameOf({ client, name, call }: Difference): string {
  return `${client}: ${name}: ${call}`
}

/** The answers that differ, call by call. What two servers never agree on has been taken out of them already. */
export function compare(ours: Answers, real: Answers): readonly Difference[] {
  return ours.cases.flatMap(({ client, name, answers }, position) => {
    const theirs = real.cases[position]?.answers ?? []
    const length = Math.max(answers.length, theirs.length)
    return Array.from({ length }, (_, index) => [answers[index], theirs[index]]).flatMap(([our, their]) => {
      const call = our?.call ?? their?.call ?? ''
      const same = our?.call === their?.call && text(our?.answer) === text(their?.answer)
      return same ? [] : [{ client, name, call, ours: our?.answer, real: their?.answer }]
    })
  })
}

/** The order of keys means nothing. */
function text(answer: unknown): string {
  return JSON.stringify(answer, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  )
}
