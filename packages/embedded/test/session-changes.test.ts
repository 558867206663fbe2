import { expect, test } from 'vitest'
import { encodeArray, encodeValue } from '../src/cbor.ts'
import type { Answer, Call, Engine } from '../src/engine.ts'
import { internal } from '../src/rpc-errors.ts'
import { newSession } from '../src/session.ts'
import { signIn } from '../src/session-changes.ts'

const CONFLICT = internal('Transaction conflict: Resource busy: . This transaction can be retried')

/** Signs anybody in as root, and answers each `use` with the next of `answers`. */
function engineThatAnswers(answers: readonly Answer[]): { readonly engine: Engine; readonly uses: Call[] } {
  const uses: Call[] = []
  const call = async (asked: Call): Promise<Answer> => {
    if (asked.method === 'query') return { result: encodeValue([{ status: 'OK', result: { tk: { ID: 'root' } } }]) }
    if (asked.method !== 'use') return { result: encodeValue('a token') }
    uses.push(asked)
    return answers[uses.length - 1] ?? { error: internal('one use too many') }
  }
  // Nothing else of it is used.
  return { engine: { call } as unknown as Engine, uses }
}

const DONE: Answer = { result: encodeValue(null) }

test('a namespace that was chosen before the sign-in is selected although others make it at the same moment', async () => {
  const session = newSession(undefined, 'engine-id')
  session.selection = { namespace: 'fresh', database: 'fresh' }
  session.selectionPending = true
  const { engine, uses } = engineThatAnswers([{ error: CONFLICT }, { error: CONFLICT }, DONE])
  expect(await signIn(engine, session, 'signin', encodeArray([]))).toHaveProperty('result')
  expect(uses).toHaveLength(3)
  expect(session.selection).toEqual({ namespace: 'fresh', database: 'fresh' })
})

test('another failure to select it is not repeated, and is the answer to the sign-in', async () => {
  const session = newSession(undefined, 'engine-id')
  session.selection = { namespace: 'fresh' }
  session.selectionPending = true
  const full = internal('The disk is full')
  const { engine, uses } = engineThatAnswers([{ error: full }])
  expect(await signIn(engine, session, 'signin', encodeArray([]))).toEqual({ error: full })
  expect(uses).toHaveLength(1)
  expect(session.identity).toBeUndefined()
})
