// A program whose worker thread claims a slot as well.

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Slot } from '@procref/core'
import { obey, say, sayFailed } from '../harness/index.ts'
import { openPart, readPart } from './part.ts'

const WORKER = new URL('./worker.js', import.meta.url)

async function main(): Promise<void> {
  const part = readPart()
  const { pool } = await openPart(part)
  let slot: Slot | undefined
  let worker: Worker | undefined

  const order = async (word: string): Promise<unknown> => {
    if (worker === undefined) {
      worker = new Worker(WORKER, { workerData: part })
      // How it ends is the test's affair; an uncaught exception of it must not be ours.
      worker.on('error', () => {})
    }
    worker.postMessage(word)
    const [answer] = await once(worker, 'message')
    return answer
  }
  const afterExit = async (act: (running: Worker) => unknown): Promise<void> => {
    if (worker === undefined) throw new Error('there is no worker yet')
    // Not `once()` of node:events, which rejects when the worker fails: here it may.
    const exited = new Promise((resolve) => worker?.once('exit', resolve))
    await act(worker)
    await exited
    worker = undefined
  }

  obey({
    tryClaim: async () => {
      slot = await pool.tryClaim()
      say('tryClaim', { answer: slot?.id ?? null })
    },
    verify: async () => {
      await slot?.verify()
      say('verify', { answer: null })
    },
    workerClaims: async () => say('workerClaims', { answer: await order('claim') }),
    workerReleases: async () => say('workerReleases', { answer: await order('release') }),
    workerIsTerminated: async () => {
      await afterExit((running) => running.terminate())
      say('workerIsTerminated')
    },
    workerExits: async () => {
      await afterExit((running) => running.postMessage('exit'))
      say('workerExits')
    },
    workerThrows: async () => {
      await afterExit((running) => running.postMessage('throw'))
      say('workerThrows')
    },
  })
  say('ready')
}

main().catch(sayFailed)
