import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { atEnd, eventually, isRoot, mountTmpfs, staysTrue } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { obtainRoom, roomOf, suffices } from '../../dist/guardian/room.js'

const MB = 1 << 20

/** A database directory on a disk of 32 MB. */
function database(): { readonly dir: string; fillBut(megabytes: number): void; free(): void } {
  const disk = atEnd(mountTmpfs({ bytes: 32 * MB }))
  const dir = `${disk.path}/db`
  mkdirSync(`${dir}/wal`, { recursive: true })
  const ballast = `${disk.path}/ballast`
  return {
    dir,
    fillBut: (megabytes) => writeFileSync(ballast, Buffer.alloc(Math.floor(roomOf(dir).free - megabytes * MB))),
    free: () => rmSync(ballast),
  }
}

describe.runIf(isRoot())('room for a database', () => {
  test('8 MB suffice for one without logs', async () => {
    const { dir, fillBut } = database()
    expect(suffices(roomOf(dir))).toBe(true)
    fillBut(9)
    await obtainRoom(dir, 0, new AbortController().signal, () => expect.unreachable())
    expect(roomOf(dir).isLow).toBe(false)
  })

  test.each(['wal/00000000000000000000.wal', '000004.log'])(
    'as much as its logs is needed beside that: %s',
    async (log) => {
      const { dir, fillBut } = database()
      writeFileSync(`${dir}/${log}`, Buffer.alloc(4 * MB))
      writeFileSync(`${dir}/000009.sst`, Buffer.alloc(4 * MB))
      fillBut(9)
      expect(roomOf(dir).needed()).toBe(12 * MB)
      await expect(obtainRoom(dir, 0, new AbortController().signal, () => expect.unreachable())).rejects.toMatchObject({
        code: 'PROCREF_DISK_FULL',
        path: dir,
        message: expect.stringMatching(
          /\(ENOSPC\): 9\.0 MB are free, and to open the database safely takes 12\.0 MB\. .*the data are untouched/,
        ),
      })
    },
  )

  test('files that can be made count as well, and are told as what they are', async () => {
    const disk = atEnd(mountTmpfs({ bytes: 32 * MB, files: 40 }))
    expect(suffices(roomOf(disk.path))).toBe(true)
    for (let n = 0; roomOf(disk.path).files > 15; n++) writeFileSync(`${disk.path}/${n}`, '')
    expect(roomOf(disk.path).isLow).toBe(true)
    await expect(obtainRoom(disk.path, 0, new AbortController().signal, () => expect.unreachable())).rejects.toThrow(
      /\(ENOSPC\): 15 more files can be made \(`df -i`\), .* takes 16\. Remove some files/,
    )
  })

  test('it is waited for, as long as it is said to', async () => {
    const { dir, fillBut, free } = database()
    fillBut(1)
    let has = false
    const told: unknown[] = []
    const waiting = obtainRoom(dir, 60_000, new AbortController().signal, (lack) => told.push(lack.code)).then(() => {
      has = true
    })
    await staysTrue(3_000, () => expect(has).toBe(false))
    expect(told).toEqual(['PROCREF_DISK_FULL'])
    free()
    await eventually('there is room', () => has)
    await waiting
  })

  test('a wait that is called off ends with the reason', async () => {
    const { dir, fillBut } = database()
    fillBut(1)
    await expect(obtainRoom(dir, 60_000, AbortSignal.abort(new Error('called off')), () => {})).rejects.toThrow(
      'called off',
    )
  })
})

test('where nothing can be found out there is room', () => {
  expect(suffices(roomOf('/nowhere/at/all'))).toBe(true)
})
