import { Actor } from '../actor/actor.ts'
import type { Experiment } from '../experiment.ts'
import { takeOnlyPermit } from './only-permit.ts'
import { overEach } from './over-each.ts'
import { msSince, patienceOf, quietOf, spelled, within } from './patience.ts'

export const kill: Experiment = {
  name: 'kill',
  title: 'A holder is killed with SIGKILL while another process waits',
  scale: 'quick',
  async observe(context) {
    const patience = patienceOf(context)
    return overEach(kill, context, {
      atOnce: 5,
      async observe({ prepared }, dir) {
        await using holder = await Actor.start(prepared, dir, 1)
        await using next = await Actor.start(prepared, dir, 1)
        await takeOnlyPermit(holder)
        const { claimed } = await next.wait()
        const setting = 'A pool of one permit: one process holds it, another one waits.'
        if ((await within(quietOf(context), claimed)) !== undefined) {
          return {
            verdict: 'breaks',
            finding: 'two holders',
            evidence: `${setting} Both had it, and nobody was killed.`,
          }
        }
        const killed = process.hrtime.bigint()
        await holder.kill()
        const got = await within(patience, claimed)
        if (got === undefined) {
          const evidence = `${setting} ${spelled(patience)} after the SIGKILL of the holder the other one still waited.`
          return { verdict: 'breaks', finding: `not within ${spelled(patience)}`, evidence }
        }
        const tookMs = msSince(killed, got)
        const evidence = `${setting} ${spelled(tookMs)} after the SIGKILL of the holder the other one had it.`
        return { verdict: 'holds', finding: `after ${spelled(tookMs)}`, evidence, tookMs }
      },
    })
  },
}
