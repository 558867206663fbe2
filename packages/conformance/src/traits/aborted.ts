import assert from 'node:assert/strict'
import type { Claim } from '../behaviour.ts'
import type { Context } from '../context.ts'
import { mustBlock } from '../harness/index.ts'

/** Something that waits, brought into a state in which it does. */
export type StartWaiting = (context: Context) => Promise<(signal: AbortSignal) => Promise<unknown>>

/** A wait ends with the reason of its signal, whether that was aborted before it began or while it lasted. */
export function aborted(name: string, make: StartWaiting): readonly Claim[] {
  return [
    {
      title: `${name} rejects with the signal's reason when it was aborted before`,
      async check(context) {
        const wait = await make(context)
        const reason = new Error('aborted before')
        await assert.rejects(wait(AbortSignal.abort(reason)), (error) => error === reason)
      },
    },
    {
      title: `${name} rejects with the signal's reason when it is aborted while it waits`,
      async check(context) {
        const wait = await make(context)
        const controller = new AbortController()
        const pending = wait(controller.signal)
        pending.catch(() => {})
        const finishes = await mustBlock(name, pending)
        const reason = new Error('aborted while waiting')
        controller.abort(reason)
        await assert.rejects(finishes(), (error) => error === reason)
      },
    },
  ]
}
