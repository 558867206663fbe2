// The worker thread of `with-worker.ts`.
import { parentPort, workerData } from 'node:worker_threads'
import type { Slot } from '@procref/core'
import type { ActorPart } from '../actor.ts'
import { openPart } from './part.ts'

let slot: Slot | undefined

async function obeyWord(word: string): Promise<void> {
  if (word === 'exit') process.exit(0)
  if (word === 'throw') throw new Error('an exception in a worker, on purpose')
  const { pool } = await opened
  if (word === 'claim') slot = await pool.tryClaim()
  else await slot?.release()
  parentPort?.postMessage(word === 'claim' ? (slot?.id ?? null) : null)
}

const opened = openPart(workerData as ActorPart)
// A rejection nobody handles ends the worker, which is what `throw` is for and what a failing claim must do as well.
parentPort?.on('message', (word: string) => void obeyWord(word))
