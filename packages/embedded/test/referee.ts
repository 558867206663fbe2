import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { comparable } from './comparable.ts'

/** A place in an answer where the two servers say different things. */
export interface Divergence {
  /** As in `[2].error.message`; empty: the whole answer. */
  readonly at: string
  readonly embedded: unknown
  readonly real: unknown
}

/** A difference that stays, as it was last seen. */
export interface Difference {
  readonly reason: string
  readonly parts: readonly Divergence[]
}

/** What became of a list of cases. */
export interface Verdict {
  readonly about: string
  readonly cases: number
  readonly differences: Readonly<Record<string, Difference>>
}

const VERDICTS = new URL('./differences/', import.meta.url)

/**
 * Judges a list of cases by the real server: the embedded one has to answer alike, except in the cases that `stay` names, each with
 * the reason why the difference stays.
 *
 * Fails: a difference without a reason; a reason without a difference; a difference that is not the one in `differences/LIST.json`. The
 * last is what `vitest --update` writes, and what docs/embedded-differences.md is made from.
 *
 *   const referee = new Referee('rpc', 'Calls over a WebSocket', { 'a case': 'why it stays' })
 *   test.each(CASES)('$name', async ({ name, run }) => referee.judge(name, await run(embedded), await run(real)))
 *   test('what differs is known', () => referee.settle(CASES.length))
 */
export class Referee {
  readonly #list: string
  readonly #about: string
  readonly #stay: Readonly<Record<string, string>>
  readonly #judged = new Set<string>()
  readonly #differences = new Map<string, Difference>()

  /** `list`: of one test file only. `about`: what the cases are, for people. */
  constructor(list: string, about: string, stay: Readonly<Record<string, string>> = {}) {
    this.#list = list
    this.#about = about
    this.#stay = stay
  }

  /** Values of any kind; what each server makes up by itself (times, ids, tokens) is left out of account. */
  judge(name: string, embedded: unknown, real: unknown): void {
    if (this.#judged.has(name)) throw new Error(`two cases are called '${name}'`)
    this.#judged.add(name)
    const parts = divergences(plain(embedded), plain(real))
    const reason = this.#stay[name]
    if (reason === undefined) expect(plain(embedded)).toEqual(plain(real))
    else if (parts.length === 0) throw new Error(`'${name}' does not differ any more: it is not to be listed`)
    else this.#differences.set(name, { reason, parts })
  }

  /** After all cases: what differs is what was known to. */
  async settle(cases: number): Promise<void> {
    if (this.#judged.size !== cases)
      throw new Error(`${this.#judged.size} of ${cases} cases have run: run the whole file`)
    const unknown = Object.keys(this.#stay).filter((name) => !this.#judged.has(name))
    expect(unknown, 'listed, and not among the cases').toEqual([])
    const differences = Object.fromEntries([...this.#differences].sort(([a], [b]) => (a < b ? -1 : 1)))
    console.log(`${this.#about}: ${cases} cases, ${this.#differences.size} differ`)
    const verdict: Verdict = { about: this.#about, cases, differences }
    const file = fileURLToPath(new URL(`${this.#list}.json`, VERDICTS))
    await expect(`${JSON.stringify(verdict, null, 2)}\n`).toMatchFileSnapshot(file)
  }
}

/** What every list found when it was last settled. */
export function verdicts(): readonly Verdict[] {
  if (!existsSync(VERDICTS)) return []
  return readdirSync(VERDICTS)
    .sort()
    .map((name) => JSON.parse(readFileSync(new URL(name, VERDICTS), 'utf8')) as Verdict)
}

function plain(value: unknown): unknown {
  return JSON.parse(comparable(value) ?? '"NONE"')
}

/** As deep as both have the same form. */
function divergences(embedded: unknown, real: unknown, at = ''): readonly Divergence[] {
  if (Array.isArray(embedded) && Array.isArray(real) && embedded.length === real.length) {
    return embedded.flatMap((item, i) => divergences(item, real[i], `${at}[${i}]`))
  }
  if (isMap(embedded) && isMap(real)) {
    const keys = [...new Set([...Object.keys(embedded), ...Object.keys(real)])].sort()
    const part = (map: Record<string, unknown>, key: string): unknown => (Object.hasOwn(map, key) ? map[key] : MISSING)
    return keys.flatMap((key) => divergences(part(embedded, key), part(real, key), `${at}${at && '.'}${key}`))
  }
  return JSON.stringify(embedded) === JSON.stringify(real) ? [] : [{ at, embedded, real }]
}

const MISSING = '(not there)'

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
