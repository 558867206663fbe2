// A program that claims two slots, forgets them and the pool, and has its garbage collected.
import { obey, say, sayFailed } from '../harness/index.ts'
import { openPart, readPart } from './part.ts'

const ROUNDS = 20

/** In a function of its own: afterwards nothing on the stack refers to what was claimed. */
async function claimAndForget(): Promise<WeakRef<object>> {
  const { pool } = await openPart(readPart())
  if ((await pool.tryClaim()) === undefined) throw new Error('no slot was free')
  const slot = await pool.claim()
  await slot.verify()
  await pool.held()
  return new WeakRef({ canary: slot.id })
}

async function main(): Promise<void> {
  if (globalThis.gc === undefined) throw new Error('start this program with --expose-gc')
  const canary = await claimAndForget()
  say('ready')
  for (let round = 0; round < ROUNDS; round++) {
    // Finalizers and the clearing of weak references need turns of the event loop between the collections.
    await new Promise((resolve) => setImmediate(resolve))
    globalThis.gc()
  }
  await new Promise((resolve) => setImmediate(resolve))
  if (canary.deref() !== undefined) throw new Error('nothing was collected, so this would show nothing')
  obey({})
  say('collected')
}

main().catch(sayFailed)
