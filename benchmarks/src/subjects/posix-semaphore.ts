import { randomBytes } from 'node:crypto'
import type { Subject } from '../subject.ts'
import { versionOf } from './installed.ts'
import { javascriptActor } from './javascript-actor.ts'

/** What the project began with, as it was: nobody takes note of who has a permit. */
export const posixSemaphoreSubject: Subject = {
  name: 'posix-semaphore',
  title: 'POSIX semaphore alone',
  summary:
    'sem_overview(7), a named counter without owners: what a killed process had is gone until somebody removes the name',
  kind: 'library',
  // SEM_VALUE_MAX
  maxSlots: 2 ** 31 - 1,
  betweenProcesses: true,
  waits: 'in the kernel, until a holder posts',
  declares: async () => ({ platforms: ['linux', 'darwin'], where: 'the documentation of PosixSemaphore' }),
  async unavailable() {
    const { PosixSemaphore } = await import('@procref/native')
    try {
      using probe = PosixSemaphore.create({ permits: 1 })
      PosixSemaphore.unlink(probe.name)
      return undefined
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      return { reason, remedy: 'run it on Linux, where /dev/shm can be written' }
    }
  },
  async prepare() {
    const { PosixSemaphore } = await import('@procref/native')
    const run = `${process.pid}-${randomBytes(2).toString('hex')}`
    const names = new Map<string, string>()
    const nameOf = (dir: string): string => {
      // macOS allows 30 characters.
      const name = names.get(dir) ?? `/pr-bench-${run}-${names.size}`
      names.set(dir, name)
      return name
    }
    return {
      version: versionOf('@procref/native'),
      command: (dir, slots) => {
        const actor = javascriptActor('posix-semaphore', { env: { PROCREF_BENCH_SEMAPHORE: nameOf(dir) } })
        return actor.command(dir, slots)
      },
      async [Symbol.asyncDispose]() {
        for (const name of names.values()) PosixSemaphore.unlink(name)
      },
    }
  },
}
