import { Actor } from '../actor/actor.ts'
import type { Experiment } from '../experiment.ts'
import { howFirstIsTold, TOLD } from './first-holder.ts'
import { takeOnlyPermit } from './only-permit.ts'
import { overEach } from './over-each.ts'
import { msSince, patienceOf, spelled, within } from './patience.ts'

/** Nearly all of them only wait, so many can do so together. */
const AT_ONCE = 24

export const stop: Experiment = {
  name: 'stop',
  title: 'A holder stands still (SIGSTOP, a debugger): is its permit taken away?',
  scale: 'quick',
  async observe(context) {
    const patience = patienceOf(context)
    return overEach(stop, context, {
      atOnce: AT_ONCE,
      async observe({ prepared }, dir) {
        await using holder = await Actor.start(prepared, dir, 1)
        await using next = await Actor.start(prepared, dir, 1)
        await takeOnlyPermit(holder)
        const { claimed } = await next.wait()
        const stopped = process.hrtime.bigint()
        holder.signal('SIGSTOP')
        const taken = await within(patience, claimed)
        holder.signal('SIGCONT')
        const setting = 'A pool of one permit: its holder was stopped with SIGSTOP while another process waited.'
        if (taken !== undefined) {
          const tookMs = msSince(stopped, taken)
          const told = TOLD[await howFirstIsTold(holder)]
          const finding = `second holder after ${spelled(tookMs)}${told.finding}`
          const evidence = `${setting} The other one had the permit after ${spelled(tookMs)}. Once the first one went on, ${told.said}.`
          return { verdict: 'breaks', finding, evidence, tookMs }
        }
        await holder.ask('release')
        const got = await within(patience, claimed)
        const kept = `${setting} It kept the permit for ${spelled(patience)}, went on with SIGCONT and released it.`
        if (got === undefined) {
          const evidence = `${kept} The other one did not get it.`
          return { verdict: 'breaks', finding: 'kept, but nobody gets it afterwards', evidence }
        }
        return {
          verdict: 'holds',
          finding: `kept (${spelled(patience)})`,
          evidence: `${kept} The other one got it then.`,
        }
      },
    })
  },
}
