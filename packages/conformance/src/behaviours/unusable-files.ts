import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Behaviour, Claim } from '../behaviour.ts'
import { claimOne } from '../context.ts'
import { homeOfUnprivileged } from '../other-user.ts'
import { slotPaths } from '../slot-paths.ts'
import { names } from '../traits/rejects.ts'

/** What is no plain file of ours at a slot's path is never followed, waited for or counted as free. */
export const unusableFiles: Behaviour = {
  name: 'unusable-files',
  claims: () => [
    unusable('a symbolic link to a file', (path, elsewhere) => {
      writeFileSync(elsewhere, 'precious')
      symlinkSync(elsewhere, path)
      return () => assert.equal(readFileSync(elsewhere, 'latin1'), 'precious', 'the link was followed')
    }),
    unusable('a symbolic link to nothing', (path, elsewhere) => {
      symlinkSync(elsewhere, path)
      return () => assert.equal(existsSync(elsewhere), false, 'the link was followed, and made a file')
    }),
    unusable('a directory', (path) => {
      mkdirSync(path)
      return () => {}
    }),
    unusable('a named pipe (which can be waited for)', (path) => {
      if (process.platform === 'win32') return undefined
      execFileSync('mkfifo', [path])
      return () => {}
    }),
    {
      title: 'a slot whose file may not be opened is passed over, counts as in use, and is named when no other is free',
      async check(context) {
        const { atEnd, actor, note } = context
        const home = homeOfUnprivileged(context)
        if (home === undefined) return note('file permissions mean nothing on this platform')
        const dir = join(home.path, 'slots')
        const sample = join(context.freshDir(), 'slots')
        const [likePath] = (await slotPaths(context, sample, 2)) ?? []
        if (likePath === undefined) return
        const first = await actor(dir, { slots: 2, ...home.options })
        assert.deepEqual([await first.tryClaim(), await first.tryClaim()].toSorted(), [0, 1])
        await first.release()
        await first.release()
        const path = join(dir, relative(sample, likePath))
        chmodSync(path, 0)
        atEnd(() => chmodSync(path, 0o600))
        assert.equal(await first.tryClaim(), 1)
        assert.equal(await first.count(), 2, 'a slot that cannot be looked at does not count')
        first.send('tryClaim')
        const { message } = await first.event<{ message: string }>('failed')
        assert.ok(message.includes(path), `the error does not name ${path}: ${message}`)
        const looks = await actor(dir, home.options)
        await first.release()
        const proven = await looks.provenEmpty().catch(() => false)
        assert.equal(proven, false, 'the pool was proven empty although one slot could not be looked at')
      },
    },
  ],
}

/** `put` returns a check that what it put there is intact; `undefined`: there is no such thing on this platform. */
function unusable(what: string, put: (path: string, elsewhere: string) => (() => void) | undefined): Claim {
  return {
    title: `${what} in the place of a slot file is passed over, counts as in use, and is named when no other slot is free`,
    async check(context) {
      const dir = context.poolDir()
      const paths = await slotPaths(context, dir, 2)
      const path = paths?.[0]
      if (path === undefined) return
      rmSync(path)
      const isIntact = put(path, join(context.freshDir(), 'elsewhere'))
      if (isIntact === undefined) return context.note('there is no such thing on this platform')

      // Pools start their search anywhere: most of these meet the unusable file first.
      for (let n = 0; n < 8; n++) {
        const passing = await context.open(dir)
        assert.equal((await claimOne(passing)).id, 1)
        await passing.close()
      }
      const pool = await context.open(dir)
      const slot = await claimOne(pool)
      await assert.rejects(pool.tryClaim(), names(path))
      assert.equal(await pool.count(), 2, 'a slot that cannot be looked at does not count')
      await slot.release()
      const proven = await pool.provenEmpty().catch((error: unknown) => {
        assert.ok(names(path)(error))
        return false
      })
      assert.equal(proven, false, 'the pool was proven empty although one slot could not be looked at')
      isIntact()

      rmSync(path, { recursive: true })
      assert.deepEqual([(await claimOne(pool)).id, (await claimOne(pool)).id].sort(), [0, 1])
    },
  }
}
