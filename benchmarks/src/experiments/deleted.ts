import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Actor } from '../actor/actor.ts'
import { saidBy } from '../actor/said-by.ts'
import type { Experiment } from '../experiment.ts'
import type { UsableSubject } from '../scenario.ts'
import { howFirstIsTold, TOLD } from './first-holder.ts'
import { takeOnlyPermit } from './only-permit.ts'
import { overEach } from './over-each.ts'
import { poolFiles } from './pool-files.ts'

/** What somebody deletes, and how. */
const WAYS = {
  files: (files: readonly string[]): void => {
    // Without folders: what is in them is in the list, and a folder stays a folder of the pool.
    for (const file of files) rmSync(file, { force: true, recursive: true })
  },
  folder: (files: readonly string[], dir: string): void => {
    rmSync(dir, { recursive: true, force: true })
    for (const file of files) rmSync(file, { force: true, recursive: true })
  },
}

export const deleted: Experiment = {
  name: 'deleted',
  title: "The pool's files, or its folder, are deleted while a permit is held: does a second holder get in?",
  scale: 'quick',
  observe: (context) =>
    overEach(deleted, context, {
      atOnce: 4,
      async observe(usable, dir) {
        mkdirSync(dir, { mode: 0o700 })
        const files = await observeWay('files', usable, join(dir, 'a'))
        const folder = await observeWay('folder', usable, join(dir, 'b'))
        const evidence = `${files.evidence} ${folder.evidence}`
        if (files.isThereNothing && folder.isThereNothing) {
          return { verdict: 'holds', finding: 'it has no files', evidence }
        }
        const seconds = [...files.seconds, ...folder.seconds]
        if (seconds.length === 0) return { verdict: 'holds', finding: 'nobody else gets in', evidence }
        const told = (['unaware', 'ended', 'asked'] as const).find((how) => seconds.includes(how)) ?? 'unaware'
        return { verdict: 'breaks', finding: `second holder${TOLD[told].finding}`, evidence }
      },
    }),
}

interface SeenOfWay {
  /** How the first holder learnt of each second one. */
  readonly seconds: readonly (keyof typeof TOLD)[]
  readonly isThereNothing: boolean
  readonly evidence: string
}

async function observeWay(way: keyof typeof WAYS, { prepared }: UsableSubject, dir: string): Promise<SeenOfWay> {
  await using holder = await Actor.start(prepared, dir, 1)
  await using openedBefore = await Actor.start(prepared, dir, 1)
  await takeOnlyPermit(holder)
  const files = poolFiles(dir, holder.pid)
  WAYS[way](files, dir)
  const before = await secondOf(openedBefore, holder)
  if (before.kind === 'second') await openedBefore.ask('release')
  const after = await secondOpenedLater(() => Actor.start(prepared, dir, 1), holder)
  const what = way === 'files' ? `Its ${files.length} files were deleted` : 'Its folder was deleted'
  return {
    seconds: [before, after].flatMap((one) => (one.kind === 'second' ? [one.told] : [])),
    isThereNothing: files.length === 0,
    evidence:
      `${what} while its only permit was held: a process that had opened the pool before ${before.said}, ` +
      `one that opened it afterwards ${after.said}.`,
  }
}

type Second =
  | { readonly kind: 'second'; readonly told: keyof typeof TOLD; readonly said: string }
  | { readonly kind: 'refused'; readonly said: string }

async function secondOf(actor: Actor, holder: Actor): Promise<Second> {
  let slot: number | null
  try {
    slot = (await actor.ask('try')).slot
  } catch (error) {
    // An error is an answer: whoever gets one has no permit.
    return { kind: 'refused', said: `was refused (${saidBy(error)})` }
  }
  if (slot === null) return { kind: 'refused', said: 'was refused' }
  const told = await howFirstIsTold(holder)
  return { kind: 'second', told, said: `got it too (the holder: ${TOLD[told].said})` }
}

async function secondOpenedLater(start: () => Promise<Actor>, holder: Actor): Promise<Second> {
  let actor: Actor
  try {
    actor = await start()
  } catch (error) {
    return { kind: 'refused', said: `was refused (${saidBy(error)})` }
  }
  await using openedAfter = actor
  return await secondOf(openedAfter, holder)
}
