import { execFileSync } from 'node:child_process'
import { startProgram } from '@procref/testing'

const MAIN = new URL('./main.py', import.meta.url).pathname

/** What each call returned or raised, by the call as it is written in Python. */
type Calls = Readonly<Record<string, unknown>>

/** One case as one kind of client has carried it out. */
interface AnsweredCase {
  /** `blocking ws`, `async http` … */
  readonly client: string
  readonly name: string
  readonly answers: Calls
}

/** What the program says at its end. */
interface Coverage {
  readonly sdk: string
  readonly python: string
  readonly clients: readonly string[]
  /** Public methods of the SDK's clients, sessions and transactions. */
  readonly methods: number
  /** Those that no case has called. */
  readonly uncalled: readonly string[]
  /** Types of values that no case has sent. */
  readonly unsent: readonly string[]
}

export interface Answers extends Coverage {
  readonly cases: readonly AnsweredCase[]
}

/** Python would leave its own files beside the program. */
const ENV = { PYTHONDONTWRITEBYTECODE: '1', PYTHONUTF8: '1' }

/** The names of all cases. */
export function namesOfCases(python: string): readonly string[] {
  return JSON.parse(execFileSync(python, [MAIN], { encoding: 'utf8', env: { ...process.env, ...ENV } }))
}

/** Of a case, which is some dozen calls; the program says earlier which call hangs. */
const CASE_MS = 120_000

/**
 * Carries all cases out with every kind of client against the server on `port`. Rejects when one takes more than two minutes, or ends the
 * program.
 */
export async function answersOf(python: string, port: number): Promise<Answers> {
  await using child = startProgram(python, { args: [MAIN, String(port)], env: ENV })
  const { count } = await child.event<{ readonly count: number }>('begins', CASE_MS)
  const cases: AnsweredCase[] = []
  while (cases.length < count) cases.push(await child.event<AnsweredCase>('case', CASE_MS))
  return { ...(await child.event<Coverage>('done', CASE_MS)), cases }
}

/** The answers of one case on two servers, each by the clients for which both are the same. */
export function sideBySide(
  name: string,
  ours: Answers,
  real: Answers,
): { readonly ours: object; readonly real: object } {
  const groups = new Map<string, { readonly clients: string[]; readonly ours: Calls; readonly real: Calls }>()
  for (const client of ours.clients) {
    const pair = { ours: answersIn(ours, client, name), real: answersIn(real, client, name) }
    const text = JSON.stringify(pair)
    const group = groups.get(text) ?? { clients: [], ...pair }
    group.clients.push(client)
    groups.set(text, group)
  }
  const nameOf = (clients: readonly string[]): string =>
    clients.length === ours.clients.length ? 'all' : clients.join(', ')
  const by = (side: 'ours' | 'real'): object =>
    Object.fromEntries([...groups.values()].map((group) => [nameOf(group.clients), group[side]]))
  return { ours: by('ours'), real: by('real') }
}

function answersIn({ cases }: Answers, client: string, name: string): Calls {
  const found = cases.find((each) => each.client === client && each.name === name)
  if (found === undefined) throw new Error(`the case '${name}' was not carried out by the client '${client}'`)
  return found.answers
}
