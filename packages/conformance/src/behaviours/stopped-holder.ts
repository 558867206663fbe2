import assert from 'node:assert/strict'
import type { Behaviour } from '../behaviour.ts'
import { staysTrue } from '../harness/index.ts'

/** Longer than this a suite should not wait for a record to become stale. */
const MAX_STALE_MS = 60_000
/** A backend that takes a stopped process for a dead one does so within the time it takes to notice a death; but no longer than this. */
const MAX_WATCH_MS = 5_000

const CANNOT_STOP = 'no process can be stopped on this platform'

/** A process that stands still (Ctrl-Z, a debugger, a laptop's lid) is not a dead one. */
export const stoppedHolder: Behaviour = {
  name: 'stopped-holder',
  claims: ({ guarantees }) => [
    guarantees.crashRelease === 'stale-timeout'
      ? {
          title: 'a stopped holder that lost its slot to somebody else is told so when it goes on',
          insteadOf: 'a stopped process keeps its slot (crashRelease is stale-timeout)',
          async check({ poolDir, actor, note, recovered }) {
            if (guarantees.maxRecoveryMs > MAX_STALE_MS) {
              note(`a stopped holder was not waited for: maxRecoveryMs is ${guarantees.maxRecoveryMs}`)
              return
            }
            const dir = poolDir()
            const stopped = await actor(dir, { slots: 1 })
            const other = await actor(dir)
            assert.equal(await stopped.tryClaim(), 0)
            stopped.kill('SIGSTOP')
            await recovered('the slot of the stopped process is taken over', async () => (await other.tryClaim()) === 0)
            stopped.kill('SIGCONT')
            assert.equal(await stopped.verify(), 'PROCREF_SLOT_LOST', 'both believe that the slot is theirs')
            assert.equal(await other.verify(), undefined)
          },
        }
      : {
          title: 'a stopped process keeps its slot, and has it still when it goes on',
          async check({ poolDir, actor, open, note }) {
            if (process.platform === 'win32') return note(CANNOT_STOP)
            const dir = poolDir()
            const holder = await actor(dir, { slots: 1 })
            assert.equal(await holder.tryClaim(), 0)
            const pool = await open(dir)
            holder.kill('SIGSTOP')
            await staysTrue(Math.min(guarantees.maxRecoveryMs, MAX_WATCH_MS), async () => {
              assert.equal(await pool.tryClaim(), undefined, 'the slot of a stopped process was given away')
            })
            assert.equal(await pool.count(), 1)
            assert.equal(await pool.provenEmpty(), false)
            holder.kill('SIGCONT')
            assert.equal(await holder.verify(), undefined)
            await holder.release()
            assert.ok(await pool.tryClaim())
          },
        },
    {
      title: 'a slot is free after its holder was killed while it was stopped',
      async check({ poolDir, actor, open, recovered, note }) {
        if (process.platform === 'win32') return note(CANNOT_STOP)
        const dir = poolDir()
        const holder = await actor(dir, { slots: 1 })
        await holder.tryClaim()
        holder.kill('SIGSTOP')
        holder.kill('SIGKILL')
        await holder.exited
        const pool = await open(dir)
        await recovered('the slot is free', () => pool.tryClaim())
      },
    },
    {
      title: 'a stopped process that only has the pool open hinders nobody',
      async check({ poolDir, actor, open, note }) {
        if (process.platform === 'win32') return note(CANNOT_STOP)
        const dir = poolDir()
        const stopped = await actor(dir, { slots: 1 })
        await stopped.count()
        await stopped.tryClaim()
        await stopped.release()
        stopped.kill('SIGSTOP')
        const pool = await open(dir)
        const slot = await pool.tryClaim()
        assert.equal(slot?.id, 0)
        await slot?.release()
        assert.equal(await pool.provenEmpty(), true)
      },
    },
  ],
}
