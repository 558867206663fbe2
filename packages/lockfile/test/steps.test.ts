import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FileLock } from '@procref/core'
import { lockfile } from '@procref/lockfile'
import { atEnd, type Child, eventually, freshDir, processState, startChild, staysTrue } from '@procref/testing'
import { expect, test } from 'vitest'

const LEASE_MS = 5_000
const { locks } = lockfile({ leaseMs: LEASE_MS })
/** So many that taking the next one removes old ones. */
const BEFORE = 20
const AT_ONCE = 6

interface Stopped {
  readonly step: number
  readonly path: string
  readonly child: Child
}

/** A program that locks and gives back, and gets `signal` before step number `step`. Step 0: never. */
function stepping(step: number, signal: string): Stopped & { readonly steps: string } {
  const dir = freshDir()
  const path = join(dir, 'a.lock')
  for (let round = 0; round < BEFORE; round++) locks.tryLock(path)?.release()
  const steps = join(dir, 'steps')
  const env = {
    NODE_OPTIONS: `--import=${new URL('./children/stepping.mjs', import.meta.url)}`,
    STEPS: steps,
    STOP_BEFORE: String(step),
    STEP_SIGNAL: signal,
  }
  const child = atEnd(startChild(new URL('./children/once.mjs', import.meta.url), { args: [path], env }))
  return { step, path, child, steps }
}

/** One program for each step between the first look and the end of giving back. */
async function stoppedAtEachStep(signal: string, stopped: (child: Child) => Promise<unknown>): Promise<Stopped[]> {
  const whole = stepping(0, signal)
  await whole.child.event('over')
  const count = readFileSync(whole.steps, 'utf8').length
  expect(count).toBeGreaterThan(20)
  const all: Stopped[] = []
  for (let step = 1; step <= count; step += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - step + 1) }, (_, n) => stepping(step + n, signal))
    await Promise.all(some.map(({ child }) => stopped(child)))
    all.push(...some)
  }
  return all
}

/** What it said before it was stopped. */
function said(child: Child): { fence?: number | null } {
  const line = child
    .stdout()
    .split('\n')
    .find((text) => text.includes('"tried"'))
  return line === undefined ? {} : JSON.parse(line)
}

async function takeAll(all: readonly Stopped[]): Promise<Map<Stopped, FileLock>> {
  const taken = new Map<Stopped, FileLock>()
  await eventually('each lock is free', () => {
    for (const one of all) {
      const lock = taken.has(one) ? undefined : locks.tryLock(one.path)
      if (lock !== undefined) taken.set(one, lock)
    }
    return taken.size === all.length
  })
  return taken
}

test('an owner killed before any of its steps, from the first look to the end of giving back, leaves a lock that can be taken, as a greater number', async () => {
  const all = await stoppedAtEachStep('SIGKILL', async (child) => {
    expect((await child.exited).signal).toBe('SIGKILL')
  })
  for (const [{ step, child, path }, lock] of await takeAll(all)) {
    const told = said(child).fence ?? BEFORE
    expect(lock.fence, `killed before step ${step}`).toBeGreaterThan(told)
    expect(lock.isCurrent(), `killed before step ${step}`).toBe(true)
    expect(locks.tryLock(path), `killed before step ${step}`).toBeUndefined()
    lock.release()
  }
})

// C is stopped before step n; others take the lock over when its lease has run out, use it so often that all traces of C are
// cleaned away, and keep it; C goes on.
test('a claimer or holder stopped before any of its steps, and continued when others have the lock, takes it from nobody and has it no more', async () => {
  const all = await stoppedAtEachStep('SIGSTOP', (child) =>
    eventually('it stands still', () => processState(child.pid)?.state === 'T'),
  )
  for (const lock of (await takeAll(all)).values()) lock.release()
  for (const { path } of all) for (let round = 0; round < BEFORE; round++) locks.tryLock(path)?.release()
  const held = await takeAll(all)
  for (const { child } of all) child.kill('SIGCONT')
  for (const [{ step, child }, lock] of held) {
    const told = await child.event<{ fence: number | null }>('tried')
    const { current } = await child.event<{ current: boolean }>('looked')
    // What it said before it was stopped was true then.
    if (told.fence !== null) expect(told.fence, `stopped before step ${step}`).toBeLessThan(lock.fence ?? 0)
    if (told.fence === null) expect(current).toBe(false)
    await child.event('over')
  }
  await staysTrue(LEASE_MS / 2, () => {
    for (const [{ step, path }, lock] of held) {
      expect(lock.isCurrent(), `stopped before step ${step}`).toBe(true)
      expect(locks.tryLock(path), `stopped before step ${step}`).toBeUndefined()
    }
  })
  for (const lock of held.values()) lock.release()
})
