// A process that does with its pool what it is told, one word a line, and answers with an event of the same name.
import { spawnSync } from 'node:child_process'
import type { Slot, SlotPool } from '@procref/core'
import { obey, say, sayFailed } from '../harness/index.ts'
import { openPart, readPart } from './part.ts'
import { startHeir, startOrdinary } from './start.ts'

const slots: Slot[] = []

function newest(): Slot {
  const slot = slots.at(-1)
  if (slot === undefined) throw new Error('this actor holds no slot')
  return slot
}

function answer(word: string, value: unknown): void {
  say(word, { answer: value ?? null })
}

async function tryClaim(pool: SlotPool): Promise<number | undefined> {
  const slot = await pool.tryClaim()
  if (slot !== undefined) slots.push(slot)
  return slot?.id
}

async function claim(pool: SlotPool): Promise<number> {
  const slot = await pool.claim({ timeoutMs: 600_000 })
  slots.push(slot)
  return slot.id
}

async function verify(): Promise<string | undefined> {
  try {
    await newest().verify()
    return undefined
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

async function main(): Promise<void> {
  const { pool } = await openPart(readPart())
  obey({
    tryClaim: async () => answer('tryClaim', await tryClaim(pool)),
    claim: async () => answer('claim', await claim(pool)),
    release: async () =>
      answer(
        'release',
        await newest()
          .release()
          .then(() => void slots.pop()),
      ),
    held: async () => answer('held', await pool.held()),
    count: async () => answer('count', await pool.count()),
    provenEmpty: async () => answer('provenEmpty', await pool.provenEmpty()),
    verify: async () => answer('verify', await verify()),
    close: async () => answer('close', await pool.close()),
    runProgram: () => answer('runProgram', spawnSync(process.execPath, ['-e', '']).status),
    startOrdinary: () => answer('startOrdinary', startOrdinary()),
    startHeir: () => answer('startHeir', startHeir(newest().fd)),
    exit: () => process.exit(3),
    throw: () =>
      setImmediate(() => {
        throw new Error('an uncaught exception, on purpose')
      }),
  })
  say('ready')
}

main().catch(sayFailed)
