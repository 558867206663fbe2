// Where the thread starts. Loads nothing that can be missing before it can say so: whoever asks it waits without looking elsewhere.
import { workerData } from 'node:worker_threads'
import type { HeartAnswer, HeartCall, HeartSetup } from './heart-messages.ts'

const { calls, notices, answered } = workerData as HeartSetup
const flag = new Int32Array(answered)

const answerTo = await loadThread()
calls.on('message', (call: HeartCall) => {
  const answer = answerTo(call)
  if (answer === undefined) return
  calls.postMessage(answer)
  Atomics.store(flag, 0, 1)
  Atomics.notify(flag, 0)
  if (!('broken' in answer)) return
  // Ends the thread once it has nothing more to do: terminated while it still reads modules it would leave their descriptors open.
  calls.close()
  notices.close()
})

async function loadThread(): Promise<(call: HeartCall) => HeartAnswer | undefined> {
  try {
    const thread = await import('./heart-thread.js')
    return (call) => thread.answerTo(call, notices)
  } catch (error) {
    // Its own copy of `failureOf`: to load it takes a descriptor, and there may be none.
    const { code, message = String(error), syscall, path } = (error ?? {}) as Partial<NodeJS.ErrnoException>
    const why = { message, ...(code && { code }), ...(syscall && { syscall }), ...(path && { path }) }
    return ({ do: what }) => (what === 'forget' ? undefined : { broken: why })
  }
}
