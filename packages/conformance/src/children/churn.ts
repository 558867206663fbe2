// Claims and releases until all processes together have made enough claims and each has had a slot, and watches for overlaps without the
// backend: while it has slot k, the file `k` in the evidence directory is its own (made with O_EXCL).
import { closeSync, constants, fstatSync, openSync, readdirSync, unlinkSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Slot, SlotPool } from '@procref/core'
import { HANGS_MS, obey, say, sayFailed } from '../harness/index.ts'
import { openPart, readPart } from './part.ts'

const [, , , name = '', evidence = '', goal = '', processes = ''] = process.argv

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

/** A process that has had a slot says so with a file in the evidence directory. */
const WON = 'won-'

/**
 * That each had one is waited for while all go on: a process that got its first processor when the others had reached the goal is not starved, and
 * one that gets a slot only when nobody else wants any is.
 */
function isOver(log: number, began: number): boolean {
  if (fstatSync(log).size < Number(goal) * LINE_BYTES) return false
  const winners = readdirSync(evidence).filter((file) => file.startsWith(WON))
  if (winners.length === Number(processes)) return true
  if (performance.now() - began < HANGS_MS) return false
  say('starving', { winners })
  return true
}

async function churn(pool: SlotPool, log: number): Promise<void> {
  const began = performance.now()
  for (let wins = 0; !isOver(log, began); wins++) {
    const slot = await pool.claim({ timeoutMs: 600_000 })
    const stopWatching = watchSlot(slot, log)
    if (wins === 0) writeFileSync(join(evidence, `${WON}${name}`), '')
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
