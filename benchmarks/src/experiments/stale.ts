import { Actor } from '../actor/actor.ts'
import type { Experiment } from '../experiment.ts'
import { takeOnlyPermit } from './only-permit.ts'
import { overEach } from './over-each.ts'
import { patienceOf, spelled, tryUntil } from './patience.ts'
import { mentions, poolFiles } from './pool-files.ts'

export const stale: Experiment = {
  name: 'stale',
  title: 'A holder was killed; what does a process that comes afterwards find?',
  scale: 'quick',
  async observe(context) {
    const patience = patienceOf(context)
    return overEach(stale, context, {
      atOnce: 5,
      async observe({ prepared }, dir) {
        await using holder = await Actor.start(prepared, dir, 1)
        await takeOnlyPermit(holder)
        const files = poolFiles(dir, holder.pid)
        await holder.kill()
        const left = files.filter((file) => mentions(file, holder.pid)).length
        await using later = await Actor.start(prepared, dir, 1)
        const got = await tryUntil(later, patience)
        const setting =
          'The only permit of a pool was held by a process that was killed with SIGKILL; then another process opened the pool and ' +
          `asked without waiting. ${left === 0 ? 'No file of the pool named the dead process' : `${left} of the pool's files named the dead process`}; `
        if (got === undefined) {
          const evidence = `${setting} the permit was refused for ${spelled(patience)}.`
          return { verdict: 'breaks', finding: 'for ever', evidence }
        }
        if (got.tries > 1) {
          const evidence = `${setting} the permit was refused ${got.tries - 1} times, for ${spelled(got.tookMs)}.`
          return { verdict: 'breaks', finding: `for ${spelled(got.tookMs)}`, evidence, tookMs: got.tookMs }
        }
        const finding = left === 0 ? 'none' : 'none that keeps a permit'
        return { verdict: 'holds', finding, evidence: `${setting} the first try got the permit.`, tookMs: got.tookMs }
      },
    })
  },
}
