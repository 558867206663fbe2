import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import type { Behaviour, Claim } from '../behaviour.ts'
import { type Context, claimOne } from '../context.ts'

/** Another process table and another network, as in a container; `--kill-child`: its end is the end of all in it. */
const UNSHARE = ['unshare', '--net', '--pid', '--fork', '--kill-child'] as const

/** How far exclusion reaches: a container that sees the directory is no other machine. */
export const namespaces: Behaviour = {
  name: 'namespaces',
  claims: ({ guarantees }) => {
    switch (guarantees.scope) {
      case 'network-namespace':
        return ONE_NETWORK_NAMESPACE
      case 'pid-namespace':
        return ONE_PID_NAMESPACE
      case 'ipc-namespace':
        return [...ALL_OF_THE_HOST, ...OTHER_IPC_NAMESPACE]
      default:
        return ALL_OF_THE_HOST
    }
  },
}

const ALL_OF_THE_HOST: readonly Claim[] = [
  {
    title: 'a process with its own process table and network is kept out, seen, and its slot comes back',
    async check(context) {
      if (!canUnshare(context)) return
      const dir = context.poolDir()
      const pool = await context.open(dir, { slots: 1 })
      const slot = await claimOne(pool)
      const inside = await context.actor(dir, { through: UNSHARE })
      assert.equal(await inside.tryClaim(), undefined, 'a process in another namespace got our slot')
      assert.equal(await inside.count(), 1)
      assert.equal(await inside.provenEmpty(), false)
      await slot.release()
      assert.equal(await inside.tryClaim(), 0)
      assert.equal(await pool.tryClaim(), undefined, 'we got the slot of a process in another namespace')
      assert.equal(await pool.count(), 1)
      assert.equal(await pool.provenEmpty(), false)
      inside.kill('SIGKILL')
      await inside.exited
      await context.recovered('the slot is free', () => pool.tryClaim())
    },
  },
]

const ONE_NETWORK_NAMESPACE: readonly Claim[] = [
  {
    title: 'processes of one other network namespace exclude each other',
    insteadOf: 'all processes of the host exclude each other (scope is network-namespace)',
    async check(context) {
      if (!canUnshare(context)) return
      const pair = await context.actor(context.poolDir(), { slots: 1, script: PAIR, through: UNSHARE })
      assert.deepEqual((await pair.event('pair')).answers, [0, null])
    },
  },
]

/** Who cannot be judged must not be let in, nor judge. */
const ONE_PID_NAMESPACE: readonly Claim[] = [
  {
    title: 'a process of another PID namespace is refused with an error that says so, and gets no slot',
    insteadOf: 'all processes of the host exclude each other (scope is pid-namespace)',
    async check(context) {
      if (!canUnshare(context)) return
      const dir = context.poolDir()
      const pool = await context.open(dir, { slots: 2 })
      const slot = await claimOne(pool)
      for (const proc of [[], ['--mount-proc']]) {
        const inside = context.actor(dir, { through: [...UNSHARE, ...proc] })
        await assert.rejects(inside, (error: Error) => error.message.includes('PID namespace'))
      }
      await slot.verify()
      assert.equal(await pool.count(), 1)
    },
  },
  {
    title:
      'processes of one other PID namespace exclude each other, and the directory can be used again where it was used before',
    insteadOf:
      'a process with its own process table is kept out, seen, and its slot comes back (scope is pid-namespace)',
    async check(context) {
      if (!canUnshare(context)) return
      const dir = context.poolDir()
      const before = await context.open(dir, { slots: 1 })
      await claimOne(before)
      await before.close()
      const pair = await context.actor(dir, { slots: 1, script: PAIR, through: [...UNSHARE, '--mount-proc'] })
      assert.deepEqual((await pair.event('pair')).answers, [0, null])
      pair.kill('SIGKILL')
      await pair.exited
      const pool = await context.open(dir, { slots: 1 })
      await context.recovered('the slot is free', () => pool.tryClaim())
    },
  },
]

/** Slots that are not visible from everywhere must not be made a second time where they are not. */
const OTHER_IPC_NAMESPACE: readonly Claim[] = [
  {
    title: 'a process of another IPC namespace is refused with an error that says so, and gets no slot',
    insteadOf: 'all processes of the host exclude each other (scope is ipc-namespace)',
    async check(context) {
      if (!canUnshare(context, '--ipc')) return
      const dir = context.poolDir()
      const pool = await context.open(dir, { slots: 2 })
      const slot = await claimOne(pool)
      const inside = context.actor(dir, { through: [...UNSHARE, '--ipc'] })
      await assert.rejects(inside, (error: Error) => error.message.includes('IPC namespace'))
      await slot.verify()
      assert.equal(await pool.count(), 1)
    },
  },
]

const PAIR = new URL('../children/pair.js', import.meta.url)

function canUnshare({ note }: Context, ...more: readonly string[]): boolean {
  const { status } = spawnSync(UNSHARE[0], [...UNSHARE.slice(1), ...more, 'true'], { stdio: 'ignore' })
  if (status === 0) return true
  note('no process was started in another namespace: that takes Linux, unshare(1) and root')
  return false
}
