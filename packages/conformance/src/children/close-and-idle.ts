// A program that uses a pool in every way, closes it, and then has nothing to do.
import { say, sayFailed } from '../harness/index.ts'
import { openPart, readPart } from './part.ts'

async function main(): Promise<void> {
  const { pool } = await openPart(readPart())
  say('ready')
  const slot = await pool.tryClaim()
  await pool.claim()
  await slot?.verify()
  await pool.held()
  // Still waiting when the pool is closed.
  const abandoned = [pool.claim({ timeoutMs: 600_000 }), pool.whenEmpty()]
  for (const wait of abandoned) wait.catch(() => {})
  await slot?.release()
  await pool.close()
  await Promise.allSettled(abandoned)
  say('closed')
}

main().catch(sayFailed)
