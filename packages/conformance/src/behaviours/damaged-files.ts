import assert from 'node:assert/strict'
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import type { Behaviour } from '../behaviour.ts'
import { claimOne } from '../context.ts'
import { onlySlotPath } from '../slot-paths.ts'

/** What may stand in a slot file that another program, an editor or a crash has written. */
const RUBBISH: readonly (string | Buffer)[] = [
  '',
  '\n',
  'hello',
  '0\n{}',
  '-1\n',
  '99999999999999999999\n{"pid":99999999999999999999}',
  '4711\n{"pid":4711,"label":',
  '4711\n[[[[',
  '4711\n{"pid":4711,"label":7,"startedAt":null}',
  Buffer.alloc(4096, 0xff),
  Buffer.alloc(1 << 20, '7'),
]

/** The text in a slot file is a label: whatever stands there, the lock decides. */
export const damagedFiles: Behaviour = {
  name: 'damaged-files',
  claims: () => [
    {
      title: 'a held slot whose file is emptied or filled with rubbish is still held, and still ours',
      async check(context) {
        const dir = context.poolDir()
        const path = await onlySlotPath(context, dir)
        if (path === undefined) return
        const slot = await claimOne(await context.open(dir))
        const other = await context.actor(dir)
        for (const rubbish of RUBBISH) {
          if (rubbish === '') truncateSync(path)
          else writeFileSync(path, rubbish)
          assert.equal(await other.tryClaim(), undefined, `${JSON.stringify(rubbish).slice(0, 60)} freed the slot`)
          assert.deepEqual(
            (await other.held()).map((info) => info.slot),
            [0],
          )
          assert.equal(await other.count(), 1)
          assert.equal(await other.provenEmpty(), false)
          await slot.verify()
        }
      },
    },
    {
      title: 'a free slot whose file is full of rubbish can be claimed, and then names its holder',
      async check(context) {
        const dir = context.poolDir()
        const path = await onlySlotPath(context, dir)
        if (path === undefined) return
        const pool = await context.open(dir, { label: 'a new holder' })
        for (const rubbish of RUBBISH) {
          writeFileSync(path, rubbish)
          assert.deepEqual(await pool.held(), [])
          assert.equal(await pool.provenEmpty(), true)
          const slot = await claimOne(pool)
          const [holder] = await pool.held()
          assert.deepEqual(
            { pid: holder?.pid, label: holder?.label },
            { pid: process.pid, label: 'a new holder' },
            `after ${JSON.stringify(rubbish).slice(0, 60)} stood there`,
          )
          await slot.release()
        }
      },
    },
    {
      title: 'a record that a killed holder left behind counts for nothing',
      async check(context) {
        const dir = context.poolDir()
        const path = await onlySlotPath(context, dir)
        if (path === undefined) return
        const pool = await context.open(dir)
        await (await claimOne(pool)).release()
        // The pid of a process that lives: a program that believed records would take the slot for held.
        const record = readFileSync(path, 'latin1').replaceAll(String(process.pid), String(process.ppid))
        writeFileSync(path, record)
        assert.deepEqual(await pool.held(), [])
        await claimOne(pool)
      },
    },
  ],
}
