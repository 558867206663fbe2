import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Behaviour } from '../behaviour.ts'

const PROGRAM = new URL('../children/churn.js', import.meta.url)
const PROCESSES = 8
const SLOTS = 4

/** Many processes on few slots for a long time, watched by something that does not ask the backend. */
export const stress: Behaviour = {
  name: 'stress',
  claims: () => [
    {
      title: `${PROCESSES} processes share ${SLOTS} slots for thousands of claims: no two hold one at once, and each gets its turns`,
      async check({ poolDir, freshDir, actor, open, stressClaims, note }) {
        const dir = poolDir()
        const evidence = freshDir()
        const start = (n: number) =>
          actor(dir, {
            slots: SLOTS,
            script: PROGRAM,
            args: [String(n), evidence, ...[stressClaims, PROCESSES].map(String)],
          })
        const churners = await Promise.all(Array.from({ length: PROCESSES }, (_, n) => start(n)))
        for (const churner of churners) churner.send('go')
        const waits = churners.map((churner) => churner.exited)
        for (const exit of await Promise.all(waits)) assert.deepEqual(exit, { code: 0, signal: null })

        const said = churners.flatMap((churner) => churner.stdout().split('\n'))
        const overlaps = said.filter((line) => /overlap/.test(line))
        assert.deepEqual(overlaps, [], 'two processes held one slot at the same time')
        const starving = said.filter((line) => /starving/.test(line))
        assert.deepEqual(starving, [], 'a process got no slot as long as all the others went on')
        const log = readFileSync(join(evidence, 'log'), 'latin1').trimEnd().split('\n')
        assert.ok(log.length >= stressClaims, `only ${log.length} of ${stressClaims} claims were made`)
        const wins = churners.map((_, n) => log.filter((line) => line.startsWith(`${n} `)).length)
        assert.deepEqual(new Set(log.map((line) => line.slice(2))).size, SLOTS, 'not every slot was used')
        assert.equal(await (await open(dir)).provenEmpty(), true)
        note(`${log.length} claims by ${PROCESSES} processes on ${SLOTS} slots; each process won ${wins.join(', ')}`)
      },
    },
  ],
}
