import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  atEnd,
  freshDir,
  HANGS_MS,
  isAlive,
  makeTempDir,
  mustBlock,
  removeSemaphoresAfterwards,
  removeSetsAfterwards,
  within,
} from '@procref/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Actor } from '../dist/actor/actor.js'
import type { PreparedSubject, Subject } from '../dist/subject.js'
import { SUBJECTS } from '../dist/subjects/index.js'

// What cargo makes stays in the folder that git ignores.
process.env.PROCREF_BENCH_CACHE ??= fileURLToPath(new URL('../rust/target', import.meta.url))

removeSemaphoresAfterwards()
removeSetsAfterwards()

/** What becomes of the permits of a process that is killed, where others do not get them within seconds. */
const KEPT_BY_THE_DEAD: ReadonlySet<string> = new Set(['posix-semaphore', 'cross-process-lock'])
/** cargo builds for a minute when it never did, and on a busy machine for several. */
const BUILDS_MS = 600_000

const home = makeTempDir({ mode: 0o711 })
afterAll(() => home[Symbol.asyncDispose]())
const missing = new Map<string, string>()
for (const subject of SUBJECTS) {
  const unavailable = await subject.unavailable(home.path)
  if (unavailable !== undefined) missing.set(subject.name, `${unavailable.reason} (${unavailable.remedy})`)
}
for (const [name, why] of missing) console.warn(`NOTE: ${name} IS NOT TESTED: ${why}`)

test('names of subjects are unique and can be typed', () => {
  const names = SUBJECTS.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  for (const name of names) expect(name).toMatch(/^[a-z][a-z-]*[a-z]$/)
})

for (const subject of SUBJECTS) {
  const reason = missing.get(subject.name)
  if (reason === undefined) describe(subject.name, () => behaves(subject))
  else test.skip(`${subject.name}, which is missing here: ${reason}`, () => {})
}

function behaves(subject: Subject): void {
  let prepared: PreparedSubject
  beforeAll(async () => {
    prepared = await subject.prepare(home.path)
  }, BUILDS_MS)
  afterAll(() => prepared[Symbol.asyncDispose]())

  const all = Math.min(3, subject.maxSlots)
  const open = async (dir: string, slots = all): Promise<Actor> => atEnd(await Actor.start(prepared, dir, slots))

  test('says which version it is', () => {
    if (subject.kind === 'floor') expect(prepared.version).toBeUndefined()
    else expect(prepared.version).toMatch(/\d/)
  })

  test('what it does to claim and release is counted, and each pair leaves the pool as it was', async () => {
    const actor = await open(freshDir())
    const { ns, cpuNs } = await actor.ask('measure', 3, 2)
    expect(ns).toHaveLength(3)
    for (const value of [...ns, cpuNs]) expect(value).toBeGreaterThan(0)
    const { claims, waitNs } = await actor.ask('compete', 20)
    expect(waitNs.length).toBeGreaterThan(0)
    // The last one may have come after the time was up.
    expect(waitNs.length).toBeGreaterThanOrEqual(Math.min(claims, 1_000))
    expect((await actor.ask('first', 2)).ns).toHaveLength(2)
    const { passed } = await actor.pass(100)
    const { atNs, releasingNs } = await within('the permit', passed)
    expect(Number(BigInt(releasingNs) - BigInt(atNs))).toBeGreaterThanOrEqual(100_000)
    expect(await actor.ask('fill', all)).toEqual({ held: all })
  })

  test('a child that it starts can be ended, and so can a copy of it, where there are copies', async () => {
    const actor = await open(freshDir())
    const { pid } = await actor.ask('child')
    expect(isAlive(pid)).toBe(true)
    process.kill(pid, 'SIGKILL')
    const forked = await actor.askIfAble('fork')
    if (forked !== undefined) process.kill(forked.pid, 'SIGKILL')
  })

  if (!subject.betweenProcesses) {
    test('another process has permits of its own', async () => {
      const dir = freshDir()
      expect(await (await open(dir)).ask('fill', all)).toEqual({ held: all })
      expect(await (await open(dir)).ask('fill', all)).toEqual({ held: all })
    })
    return
  }

  test('never more permits than the pool has, whoever asks', async () => {
    const dir = freshDir()
    const first = await open(dir)
    const second = await open(dir)
    const { slot, tookNs } = await first.ask('try')
    expect(slot).not.toBeNull()
    expect(tookNs).toBeGreaterThan(0)
    expect(await first.ask('fill', all)).toEqual({ held: all })
    expect((await first.ask('try')).slot).toBeNull()
    expect((await second.ask('try')).slot).toBeNull()
    expect(await first.ask('drop', 1)).toEqual({ held: all - 1 })
    expect((await second.ask('try')).slot).not.toBeNull()
    expect((await first.ask('try')).slot).toBeNull()
    await second.ask('release')
    expect(await first.ask('fill', all)).toEqual({ held: all })
  })

  test('whoever waits gets what another process gives back, and not before', async () => {
    const dir = freshDir()
    const first = await open(dir, 1)
    const second = await open(dir, 1)
    expect(await first.ask('fill', 1)).toEqual({ held: 1 })
    const { claimed } = await second.wait()
    const finishes = await mustBlock('the wait for a permit that is taken', claimed)
    const { atNs: released } = await first.ask('release')
    const { atNs: got } = await finishes()
    expect(BigInt(got)).toBeGreaterThan(BigInt(released))
    expect((await first.ask('try')).slot).toBeNull()
  })

  test('a process that ends gives back what it has', async () => {
    const dir = freshDir()
    const first = await open(dir)
    expect(await first.ask('fill', all)).toEqual({ held: all })
    await first.end()
    expect(await (await open(dir)).ask('fill', all)).toEqual({ held: all })
  })

  if (KEPT_BY_THE_DEAD.has(subject.name)) {
    test('what a killed process had is not to be had', async () => {
      const dir = freshDir()
      const first = await open(dir)
      expect(await first.ask('fill', all)).toEqual({ held: all })
      await first.kill()
      expect((await (await open(dir)).ask('try')).slot).toBeNull()
    })
    return
  }

  test('what a killed process had comes to one that waits', async () => {
    const dir = freshDir()
    const first = await open(dir, 1)
    const second = await open(dir, 1)
    expect(await first.ask('fill', 1)).toEqual({ held: 1 })
    const { claimed } = await second.wait()
    await first.kill()
    expect((await within('the permit of the dead', claimed, HANGS_MS)).slot).not.toBeNull()
  })

  test('what is asked for with the most permits that it may have works', { timeout: BUILDS_MS }, async () => {
    const most = Math.min(subject.maxSlots, 1_000)
    const dir = join(freshDir(), 'pool')
    const actor = await open(dir, most)
    expect(await actor.ask('fill', most)).toEqual({ held: most })
    expect(await actor.ask('drop', most)).toEqual({ held: 0 })
  })
}
