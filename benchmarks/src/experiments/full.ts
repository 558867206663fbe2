import { Actor } from '../actor/actor.ts'
import type { Experiment } from '../experiment.ts'
import { overEach } from './over-each.ts'
import { msSince, patienceOf, QUIET_MS, spelled, within } from './patience.ts'

const SLOTS = 3

export const full: Experiment = {
  name: 'full',
  title: 'All permits are held: who asks for one more?',
  scale: 'quick',
  async observe(context) {
    const patience = patienceOf(context)
    return overEach(full, context, {
      atOnce: 2,
      async observe({ subject, prepared }, dir) {
        const slots = Math.min(SLOTS, subject.maxSlots)
        await using holder = await Actor.start(prepared, dir, slots)
        await using other = await Actor.start(prepared, dir, slots)
        const { held } = await holder.ask('fill', slots)
        const setting = `A pool of ${slots}, all held by one process.`
        if (held !== slots) {
          return {
            verdict: 'breaks',
            finding: `${held} of ${slots}`,
            evidence: `Of a new pool of ${slots} only ${held} were to be had.`,
          }
        }
        const refused = await other.ask('try')
        if (refused.slot !== null) {
          return { verdict: 'breaks', finding: 'one too many', evidence: `${setting} Another process got one more.` }
        }
        const told = spelled(refused.tookNs / 1e6)
        const { claimed } = await other.wait()
        if ((await within(QUIET_MS, claimed)) !== undefined) {
          return {
            verdict: 'breaks',
            finding: 'one too many',
            evidence: `${setting} Another process waited and got one more.`,
          }
        }
        const { atNs } = await holder.ask('release')
        const got = await within(patience, claimed)
        const before = `${setting} Another process that asked was refused after ${told}; then it waited, and one was released.`
        if (got === undefined) {
          const evidence = `${before} ${spelled(patience)} later it still waited.`
          return { verdict: 'breaks', finding: 'waits on after a release', evidence }
        }
        const tookMs = msSince(BigInt(atNs), got)
        const evidence = `${before} It had that one after ${spelled(tookMs)}.`
        return { verdict: 'holds', finding: `told in ${told}; woken in ${spelled(tookMs)}`, evidence, tookMs }
      },
    })
  },
}
