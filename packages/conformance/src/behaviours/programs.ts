import assert from 'node:assert/strict'
import type { Actor } from '../actor.ts'
import type { Behaviour } from '../behaviour.ts'
import type { Context } from '../context.ts'

/** A holder that runs other programs (`fork`, `exec`) neither loses its slot nor passes it on to them unasked. */
export const programs: Behaviour = {
  name: 'programs',
  claims: () => [
    {
      title: 'running a program does not drop the slot',
      async check({ poolDir, actor, open }) {
        const dir = poolDir()
        const holder = await actor(dir, { slots: 1 })
        await holder.tryClaim()
        holder.send('runProgram')
        assert.equal((await holder.event('runProgram')).answer, 0)
        const pool = await open(dir)
        assert.equal(await pool.tryClaim(), undefined, 'the slot was dropped when a program was run')
        assert.equal(await holder.verify(), undefined)
      },
    },
    {
      title: 'a program that the holder started does not keep the slot of a killed holder',
      async check(context) {
        const { poolDir, actor, open, recovered } = context
        const dir = poolDir()
        const holder = await actor(dir, { slots: 1 })
        await holder.tryClaim()
        const pid = await startBy(context, holder, 'startOrdinary')
        holder.kill('SIGKILL')
        await holder.exited
        const pool = await open(dir)
        await recovered('the slot is free although the program lives', () => pool.tryClaim())
        assert.ok(isRunning(pid), 'the program had ended, so this has shown nothing')
      },
    },
    {
      title: 'a program that the holder started does not keep a slot that was released',
      async check(context) {
        const { poolDir, actor, open } = context
        const dir = poolDir()
        const holder = await actor(dir, { slots: 1 })
        await holder.tryClaim()
        const pid = await startBy(context, holder, 'startOrdinary')
        await holder.release()
        const pool = await open(dir)
        assert.ok(await pool.tryClaim(), 'the program has the slot')
        assert.ok(isRunning(pid), 'the program had ended, so this has shown nothing')
      },
    },
  ],
}

/** Has the holder start a program that outlives it; it is ended with the check. */
export async function startBy(context: Context, holder: Actor, word: 'startOrdinary' | 'startHeir'): Promise<number> {
  holder.send(word)
  const pid = Number((await holder.event(word)).answer)
  context.atEnd(() => endProgram(pid))
  return pid
}

/** Idempotent. The pid is of a program that we started: an orphan, so that only the system can collect it. */
export function endProgram(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}
