import { execFileSync } from 'node:child_process'
import { startProgram } from '@procref/testing'

const MAIN = new URL('./main.py', import.meta.url).pathname

/** One case as one kind of client carries it out: `blocking ws`, `async http` … */
export interface Planned {
  readonly client: string
  readonly name: string
}

/** A call as it is written in Python, and what it returned or raised. */
export interface Answered {
  readonly call: string
  readonly answer: unknown
}

export interface AnsweredCase extends Planned {
  readonly answers: readonly Answered[]
}

/** What the program says at its end. */
export interface Coverage {
  readonly sdk: string
  readonly python: string
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
const NO_TRACES = { PYTHONDONTWRITEBYTECODE: '1', PYTHONUTF8: '1' }

/** All cases, in the order in which they are carried out. */
export function planned(python: string): readonly Planned[] {
  return JSON.parse(execFileSync(python, [MAIN], { encoding: 'utf8', env: { ...process.env, ...NO_TRACES } }))
}

/** Carries all cases out against the server on `port`. Rejects when one takes more than 30 s, or ends the program. */
export async function answersOf(python: string, port: number): Promise<Answers> {
  await using child = startProgram(python, { args: [MAIN, String(port)], env: NO_TRACES })
  const cases: AnsweredCase[] = []
  for (const _ of planned(python)) cases.push(await child.event<AnsweredCase>('case'))
  return { ...(await child.event<Coverage>('done')), cases }
}
