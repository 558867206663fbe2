import assert from 'node:assert/strict'
import type { Actor } from '../actor.ts'
import type { Behaviour, Claim } from '../behaviour.ts'

/** Whatever way a process ends, its slots come back, and nobody else's do. */
export const crashRelease: Behaviour = {
  name: 'crash-release',
  claims: ({ guarantees }) => {
    const soon = guarantees.crashRelease === 'kernel' ? 'at once' : 'soon'
    return [
      freeAfter(`a slot is free ${soon} after its holder was killed`, (holder) => holder.kill('SIGKILL')),
      freeAfter(`a slot is free ${soon} after its holder left with process.exit()`, (holder) => holder.send('exit')),
      freeAfter(`a slot is free ${soon} after its holder failed with an exception`, (holder) => holder.send('throw')),
      {
        title: 'all slots of a killed process come back, and those of the others stay',
        async check({ poolDir, actor, open, recovered }) {
          const dir = poolDir()
          const killed = await actor(dir, { slots: 6 })
          const lives = await actor(dir)
          const kept = [await lives.tryClaim(), await lives.tryClaim()]
          for (let n = 0; n < 4; n++) assert.notEqual(await killed.tryClaim(), undefined)
          const pool = await open(dir)
          assert.equal(await pool.tryClaim(), undefined)
          assert.equal(await pool.count(), 6)

          killed.kill('SIGKILL')
          await killed.exited
          await recovered('the four slots of the killed process are free', async () => (await pool.count()) === 2)
          assert.deepEqual(
            (await pool.held()).map(({ slot }) => slot),
            kept.toSorted(),
          )
          assert.equal(await lives.verify(), undefined, 'the other process lost its slot')
        },
      },
      {
        title: 'a claim that waits gets the slot of a killed holder',
        async check({ poolDir, actor }) {
          const dir = poolDir()
          const holder = await actor(dir, { slots: 1 })
          await holder.tryClaim()
          const waiter = await actor(dir)
          const claimed = waiter.claim()
          holder.kill('SIGKILL')
          assert.equal(await claimed, 0)
        },
      },
    ]
  },
}

function freeAfter(title: string, end: (holder: Actor) => void): Claim {
  return {
    title,
    async check({ poolDir, actor, open, guarantees, recovered }) {
      const dir = poolDir()
      const holder = await actor(dir, { slots: 1 })
      assert.equal(await holder.tryClaim(), 0)
      const pool = await open(dir)
      assert.equal(await pool.tryClaim(), undefined, 'the slot is not even held while its holder lives')

      end(holder)
      await holder.exited
      if (guarantees.crashRelease === 'kernel') {
        // Its death was seen: the kernel closes a process's files before it lets its parent know.
        assert.ok(await pool.tryClaim(), 'the slot was still held when the death of its holder had been seen')
      } else {
        await recovered('the slot of the dead process is free', () => pool.tryClaim())
      }
    },
  }
}
