// Uses its pool in every way, again and again, and counts its open files.
import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SlotBackend, SlotPool } from '@procref/core'
import { obey, say, sayFailed } from '../harness/index.ts'
import { openPart, readPart } from './part.ts'

const ROUNDS = 100
const LOOKS = 10
const LOOK_AGAIN_MS = 10

/** The fewest of several looks: a thread of the backend's may have a file open for a moment, which is no leak. */
async function openFiles(): Promise<number> {
  let fewest = Number.POSITIVE_INFINITY
  for (let look = 0; look < LOOKS; look++) {
    fewest = Math.min(fewest, readdirSync('/dev/fd').length)
    await sleep(LOOK_AGAIN_MS)
  }
  return fewest
}

async function round(backend: SlotBackend, dir: string, pool: SlotPool): Promise<void> {
  // Two slots are free; the third belongs to somebody else.
  const slots = [await pool.claim(), await pool.claim()]
  for (const slot of slots) await slot.verify()
  if ((await pool.tryClaim()) !== undefined) throw new Error('a slot more than there is')
  await pool.claim().catch(() => {})
  await pool.claim({ signal: AbortSignal.abort() }).catch(() => {})
  await pool.held()
  await pool.count()
  for (const slot of slots) await slot.release()
  await pool.provenEmpty()
  // What was kept open to watch our own slots is let go of once they were seen free.
  await pool.held()
  await backend.support(dir)
  const second = await backend.open(dir)
  await second.claim()
  await second.close()
  await backend.open(dir, { slots: 99 }).catch(() => {})
  const lock = backend.locks.tryLock(`${dir}/other.lock`)
  const watch = backend.locks.watch(`${dir}/other.lock`)
  watch.probe()
  if (backend.locks.tryLock(`${dir}/other.lock`) !== undefined) throw new Error('a lock was granted twice')
  lock?.release()
  watch.probe()
  watch.close()
}

async function main(): Promise<void> {
  const { dir } = readPart()
  const { backend, pool } = await openPart(readPart())
  obey({
    go: async () => {
      await round(backend, dir, pool)
      const before = await openFiles()
      for (let n = 0; n < ROUNDS; n++) await round(backend, dir, pool)
      const after = await openFiles()
      await pool.close()
      say('counted', { before, after, closed: await openFiles() })
    },
  })
  say('ready')
}

main().catch(sayFailed)
