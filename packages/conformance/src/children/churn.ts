// Claims and releases until all processes together have made enough claims, and watches for overlaps without the backend:
// while it has slot k, the file `k` in the evidence directory is its own (made with O_EXCL).
import { closeSync, constants, fstatSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Slot, SlotPool } from '@procref/core'
import { obey, say, sayFailed } from '../harness/index.ts'
import { openPart, readPart } from './part.ts'

const [, , , name = '', evidence = '', goal = ''] = process.argv

/** The log's lines: `3 0002\n`. Their number is the number of claims, of all processes. */
const LINE_BYTES = 7

function watchSlot(slot: Slot, log: number): () => void {
  const mark = join(evidence, String(slot.id))
  let ours: number | undefined
  try {
    ours = openSync(mark, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    say('overlap', { slot: slot.id, process: name })
  }
  writeSync(log, `${name} ${String(slot.id).padStart(4, '0')}\n`)
  return () => {
    if (ours === undefined) return
    unlinkSync(mark)
    closeSync(ours)
  }
}

async function churn(pool: SlotPool, log: number): Promise<void> {
  while (fstatSync(log).size < Number(goal) * LINE_BYTES) {
    const slot = await pool.claim({ timeoutMs: 600_000 })
    const stopWatching = watchSlot(slot, log)
    // Hold it for a turn of the event loop, or the others would hardly ever find it held.
    await new Promise((resolve) => setImmediate(resolve))
    stopWatching()
    await slot.release()
  }
}

async function main(): Promise<void> {
  const { pool } = await openPart(readPart())
  const log = openSync(join(evidence, 'log'), 'a+')
  obey({
    go: async () => {
      await churn(pool, log)
      process.exit(0)
    },
  })
  say('ready')
}

main().catch(sayFailed)
