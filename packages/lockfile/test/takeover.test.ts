import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { identifySelf } from '@procref/core'
import { atEnd, freshDir, HANGS_MS, startChild } from '@procref/testing'
import { expect, test } from 'vitest'

const TAKER = new URL('./children/taker.mjs', import.meta.url)
const LONG_AGO = new Date(Date.now() - 3_600_000)

/** How many processes took each of the locks, all of which an owner has left behind that is no more. */
async function herd(
  processes: number,
  count: number,
  library: string,
  leave: (path: string) => void,
): Promise<number[]> {
  const dir = freshDir()
  for (let n = 0; n < count; n++) leave(join(dir, `${n}.lock`))
  const takers = Array.from({ length: processes }, () =>
    atEnd(startChild(TAKER, { args: [dir, String(count), library] })),
  )
  await Promise.all(takers.map((taker) => taker.event('ready')))
  for (const taker of takers) taker.send('take')
  const took = await Promise.all(takers.map((taker) => taker.event<{ mine: number[] }>('took')))
  const winners = Array.from({ length: count }, () => 0)
  for (const { mine } of took) for (const n of mine) winners[n] = (winners[n] ?? 0) + 1
  return winners
}

/** What a killed owner leaves: `record` is what it said of itself. */
function leaveOwner(path: string, record?: object): void {
  mkdirSync(`${path}.owners/7`, { recursive: true, mode: 0o700 })
  if (record !== undefined) writeFileSync(`${path}.owners/7.json`, JSON.stringify(record), { mode: 0o600 })
  utimesSync(`${path}.owners/7`, LONG_AGO, LONG_AGO)
}

test('8 processes take over 1,000 locks of an owner that is proven dead: each lock has one new holder', async () => {
  const dead = { ...identifySelf(), startTicks: '1' }
  const winners = await herd(8, 1_000, 'ours', (path) => leaveOwner(path, { leaseMs: 5_000, process: dead }))
  expect(winners.filter((count) => count !== 1)).toEqual([])
})

test('8 processes take over 1,000 locks whose lease has run out: each lock has one new holder', async () => {
  const winners = await herd(8, 1_000, 'ours', (path) => leaveOwner(path))
  expect(winners.filter((count) => count !== 1)).toEqual([])
})

/** A herd meets only where its processes run at the same time, and one that was alone for a moment took everything. */
const HERDS = 20

test('such herds find the hole in the takeover of proper-lockfile by itself', {
  timeout: HERDS * HANGS_MS,
}, async () => {
  let twice = 0
  for (let n = 0; n < HERDS && twice === 0; n++) {
    const winners = await herd(8, 1_000, 'proper-lockfile', (path) => {
      mkdirSync(`${path}.lock`)
      utimesSync(`${path}.lock`, LONG_AGO, LONG_AGO)
    })
    twice = winners.filter((count) => count > 1).length
  }
  expect(twice).toBeGreaterThan(0)
})
