import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Behaviour } from '../behaviour.ts'
import { claimOne } from '../context.ts'
import { homeOfUnprivileged } from '../other-user.ts'

/** The pool's directory is made when it is needed, for us alone; what is wrong with it is said with its path. */
export const directory: Behaviour = {
  name: 'directory',
  claims: () => [
    {
      title: 'open() makes the directory and its parents, and what is in it belongs to us alone',
      async check({ open, freshDir, note }) {
        const dir = join(freshDir(), 'not', 'there', 'yet')
        const slot = await claimOne(await open(dir, { slots: 1 }))
        if (process.getuid === undefined) return note('file permissions mean nothing on this platform')
        assert.equal(statSync(dir).mode & 0o777, 0o700)
        if (slot.path !== undefined) assert.equal(statSync(slot.path).mode & 0o077, 0)
      },
    },
    {
      title: 'relative and absolute paths lead to the same pool',
      async check({ open, poolDir, actor }) {
        const dir = poolDir()
        await claimOne(await open(dir, { slots: 1 }))
        const other = await actor('./slots', { child: { cwd: join(dir, '..') } })
        assert.equal(await other.tryClaim(), undefined)
      },
    },
    {
      title: 'a directory that cannot be made is refused with its path',
      async check(context) {
        const home = homeOfUnprivileged(context)
        if (home === undefined) return context.note('file permissions mean nothing on this platform')
        chmodSync(home.path, 0o500)
        context.atEnd(() => chmodSync(home.path, 0o700))
        const dir = join(home.path, 'slots')
        await assert.rejects(context.actor(dir, home.options), (error: Error) => error.message.includes(dir))
      },
    },
    {
      title: 'in a directory that became read-only what is held stays held, and a claim succeeds or names the path',
      async check(context) {
        const home = homeOfUnprivileged(context)
        if (home === undefined) return context.note('file permissions mean nothing on this platform')
        const dir = join(home.path, 'slots')
        const holder = await context.actor(dir, { slots: 3, ...home.options })
        const claimed = [await holder.tryClaim()]
        chmodSync(dir, 0o500)
        context.atEnd(() => chmodSync(dir, 0o700))

        const other = await context.actor(dir, home.options)
        assert.equal(await other.count(), 1)
        assert.equal(await holder.verify(), undefined)
        other.send('tryClaim')
        const outcome = await Promise.any([other.event('tryClaim'), other.event('failed')])
        if (outcome.event === 'failed') {
          assert.ok(String(outcome.message).includes(dir), `the error does not name ${dir}: ${outcome.message}`)
          assert.equal(await holder.count(), 1)
          return
        }
        assert.notEqual(outcome.answer, null, 'free slots of a read-only directory were reported in use')
        claimed.push(Number(outcome.answer))
        assert.deepEqual(
          (await holder.held()).map(({ slot }) => slot),
          claimed.toSorted(),
        )
      },
    },
    {
      title: 'a file that is not ours to read beside the slots disturbs nothing',
      async check({ open, poolDir }) {
        const dir = poolDir()
        const pool = await open(dir, { slots: 1 })
        mkdirSync(join(dir, 'slot_xx.lock'))
        mkdirSync(join(dir, 'something else'), { mode: 0 })
        const slot = await claimOne(pool)
        assert.equal(await pool.count(), 1)
        await slot.release()
        assert.equal(await pool.provenEmpty(), true)
      },
    },
  ],
}
