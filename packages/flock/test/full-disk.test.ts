import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { flock } from '@procref/flock'
import { atEnd, isRoot, mountTmpfs } from '@procref/testing'
import { expect, test } from 'vitest'

test('on a full disk slots that were used before can be claimed, counted and released', async () => {
  if (!isRoot()) return console.warn('not checked: only root can mount a small file system')
  const root = atEnd(mountTmpfs({ bytes: 128 * 1024 })).path
  const pool = atEnd(await flock().open(join(root, 'slots'), { slots: 2 }))
  const used = [await pool.claim(), await pool.claim()]
  for (const slot of used) await slot.release()
  expect(() => writeFileSync(join(root, 'big'), new Uint8Array(1024 * 1024))).toThrow('ENOSPC')

  const slot = await pool.claim()
  await slot.verify()
  expect(await pool.count()).toBe(1)
  await slot.release()
  expect(await pool.provenEmpty()).toBe(true)
  await expect(flock().open(join(root, 'other'))).rejects.toMatchObject({ code: 'PROCREF_DISK_FULL' })
})

test('a pool works on a tmpfs', async () => {
  if (!isRoot()) return console.warn('not checked: only root can mount')
  const root = atEnd(mountTmpfs({ bytes: 256 * 1024 })).path
  expect(await flock().support(join(root, 'slots'))).toEqual({ supported: true })
  const pool = atEnd(await flock().open(join(root, 'slots'), { slots: 1 }))
  await pool.claim()
  expect(await pool.tryClaim()).toBeUndefined()
})
