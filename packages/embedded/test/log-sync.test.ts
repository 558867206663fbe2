import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { atEnd, canCutPower, type Drive, eventually, freshDir, mountDrive } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { LogSync } from '../dist/log-sync.js'

const BYTES = 64 * 1024 * 1024
/** Linux writes back by itself what is dirty for 30 s: what is there by then was synced. */
const SOON_MS = 20_000
const unexpected = (line: string): void => {
  throw new Error(line)
}

/** What of a file would be found if the power failed now. */
async function onTheDisk(drive: Drive, name: string): Promise<string | undefined> {
  await using cut = await drive.powerCut()
  const path = join(cut.path, name)
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}

describe.runIf(canCutPower())('the logs of a database', () => {
  test('are synced in the background, new ones with their names', async () => {
    const drive = atEnd(await mountDrive({ bytes: BYTES }))
    mkdirSync(join(drive.path, 'db'))
    const sync = new LogSync(join(drive.path, 'db'), 150, unexpected)
    for (const [name, text] of [
      ['000004.log', 'first'],
      ['000004.log', ' second'],
      ['000009.log', 'another log'],
    ] as const) {
      const path = join(drive.path, 'db', name)
      appendFileSync(path, text)
      const whole = readFileSync(path, 'utf8')
      await eventually(`${name} is on the disk`, async () => (await onTheDisk(drive, `db/${name}`)) === whole, SOON_MS)
    }
    await sync.stop()
  })

  test('are on the disk when it was stopped', async () => {
    const drive = atEnd(await mountDrive({ bytes: BYTES }))
    const sync = new LogSync(drive.path, 60_000, unexpected)
    appendFileSync(join(drive.path, '000004.log'), 'committed')
    await sync.stop()
    expect(await onTheDisk(drive, '000004.log')).toBe('committed')
  })
})

test('a sync that fails is told, and tried again', async () => {
  const dir = freshDir()
  const told: string[] = []
  const sync = new LogSync(join(dir, 'db'), 10, (line) => told.push(line))
  await eventually('it is told twice', () => told.length >= 2)
  mkdirSync(join(dir, 'db'))
  await sync.stop()
  const before = told.length
  expect(told[0]).toContain('ENOENT')
  rmSync(join(dir, 'db'), { recursive: true })
  await sync.stop()
  expect(told.length).toBe(before + 1)
})
