import assert from 'node:assert/strict'
import type { Behaviour, Claim } from '../behaviour.ts'

const PROGRAM = new URL('../children/with-worker.js', import.meta.url)

/**
 * Slots belong to the process or to nobody: a thread of the holder's process is kept out as any process is, and a thread
 * that ends gives its slots back, because nobody is left who could release them.
 */
export const workerThreads: Behaviour = {
  name: 'worker-threads',
  claims: () => [
    {
      title: 'a slot claimed in one thread is refused to the others and to other processes',
      async check({ poolDir, actor }) {
        const dir = poolDir()
        const program = await actor(dir, { slots: 1, script: PROGRAM })
        const other = await actor(dir)
        program.send('workerClaims')
        assert.equal((await program.event('workerClaims')).answer, 0)
        assert.equal(await program.tryClaim(), undefined, 'the main thread got the slot of the worker')
        assert.equal(await other.tryClaim(), undefined)
        program.send('workerReleases')
        await program.event('workerReleases')
        assert.equal(await program.tryClaim(), 0)
        program.send('workerClaims')
        assert.equal((await program.event('workerClaims')).answer, null, 'the worker got the slot of the main thread')
      },
    },
    freeAfterWorker('terminated', 'workerIsTerminated'),
    freeAfterWorker('left with process.exit()', 'workerExits'),
    freeAfterWorker('failed with an exception', 'workerThrows'),
  ],
}

function freeAfterWorker(how: string, word: string): Claim {
  return {
    title: `the slots of a worker thread that ${how === 'terminated' ? 'was terminated' : how} come back, those of its process stay`,
    async check({ poolDir, actor, recovered }) {
      const dir = poolDir()
      const program = await actor(dir, { slots: 2, script: PROGRAM })
      const other = await actor(dir)
      const kept = await program.tryClaim()
      program.send('workerClaims')
      const { answer: workers } = await program.event('workerClaims')
      assert.equal(await other.tryClaim(), undefined)

      program.send(word)
      await program.event(word)
      assert.equal(await recovered('the slot of the worker is free', () => other.tryClaim()), workers)
      assert.deepEqual(
        (await other.held()).map(({ slot }) => slot),
        [0, 1],
      )
      assert.equal(await program.verify(), undefined, `slot ${kept} of the main thread is lost`)
    },
  }
}
