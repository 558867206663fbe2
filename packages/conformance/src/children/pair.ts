// Two processes in one place: this one claims the only slot, and its child tries to.
import { obey, say, sayFailed, startChild } from '../harness/index.ts'
import { openPart, readPart } from './part.ts'

const ACTOR = new URL('./actor.js', import.meta.url)

async function main(): Promise<void> {
  const { pool } = await openPart(readPart())
  const slot = await pool.claim()
  say('ready')
  const child = startChild(ACTOR, { args: process.argv.slice(2) })
  await child.event('ready')
  child.send('tryClaim')
  const { answer } = await child.event('tryClaim')
  await child[Symbol.asyncDispose]()
  say('pair', { answers: [slot.id, answer] })
  obey({})
}

main().catch(sayFailed)
