import { Actor } from '../actor/actor.ts'
import type { UsableSubject } from '../scenario.ts'
import { KeptProcess } from './kept-process.ts'
import { takeOnlyPermit } from './only-permit.ts'
import type { Seen } from './over-each.ts'
import { patienceOf, spelled, tryUntil } from './patience.ts'

/** What a process is called that a holder made with `verb`. */
const CALLED = { child: 'started program', fork: 'forked copy' }

/**
 * A holder makes another process, which first ends before it and then outlives it.
 *
 * A started program knows of no permit, so it should neither take one with it when it ends nor keep one when its parent dies. A forked copy has the
 * memory of a holder: that it excludes others is as good as that it does not, but the permit must come back when both are gone.
 */
export async function observeOutlived(
  verb: 'child' | 'fork',
  { prepared }: UsableSubject,
  dir: string,
  context: Parameters<typeof patienceOf>[0],
): Promise<Seen> {
  const patience = patienceOf(context)
  const called = CALLED[verb]
  await using holder = await Actor.start(prepared, dir, 1)
  await takeOnlyPermit(holder)

  await using shortLived = new KeptProcess((await holder.ask(verb)).pid)
  await shortLived.end()
  await using other = await Actor.start(prepared, dir, 1)
  if ((await other.ask('try')).slot !== null) {
    const evidence = `A holder's ${called} ended. While the holder lived and held on, another process got the only permit.`
    return { verdict: 'breaks', finding: `the end of a ${called} frees it`, evidence }
  }

  await using outliving = new KeptProcess((await holder.ask(verb)).pid)
  await holder.kill()
  const got = await tryUntil(other, patience)
  const setting = `The holder of the only permit was killed with SIGKILL while its ${called} lived on.`
  if (got !== undefined) {
    const lived = outliving.isAlive ? '' : `, when the ${called} had ended by itself`
    const evidence = `${setting} Another process got the permit after ${spelled(got.tookMs)}${lived}.`
    return { verdict: 'holds', finding: `free after ${spelled(got.tookMs)}`, evidence, tookMs: got.tookMs }
  }
  await outliving.end()
  const afterwards = await tryUntil(other, patience)
  const kept = `${setting} Nobody else got the permit for ${spelled(patience)}`
  if (afterwards === undefined) {
    const evidence = `${kept}, nor in as long a time after the ${called} was ended too.`
    return { verdict: 'breaks', finding: 'lost for ever', evidence }
  }
  return {
    verdict: verb === 'fork' ? 'holds' : 'breaks',
    finding: `kept until the ${called} ends`,
    evidence: `${kept}; ${spelled(afterwards.tookMs)} after the ${called} was ended another process had it.`,
  }
}
