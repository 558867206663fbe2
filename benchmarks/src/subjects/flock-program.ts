import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Subject } from '../subject.ts'
import { javascriptActor } from './javascript-actor.ts'

const run = promisify(execFile)

/** As scripts have a lock; and for procref's own slot files it is a holder like any other. */
export const flockProgramSubject: Subject = {
  name: 'flock-program',
  title: 'flock(1)',
  summary: 'the program of util-linux locks a descriptor that it inherits: one process more for each claim',
  kind: 'program',
  maxSlots: 1,
  betweenProcesses: true,
  waits: 'in the kernel, in a process of its own',
  declares: async () => ({ platforms: ['linux'], where: 'util-linux' }),
  async unavailable() {
    const version = await versionOfFlock()
    return version === undefined ? { reason: 'there is no program flock', remedy: 'apt install util-linux' } : undefined
  },
  async prepare() {
    const version = await versionOfFlock()
    return javascriptActor('flock-program', version === undefined ? {} : { version })
  },
}

/** Undefined: it is not there. */
async function versionOfFlock(): Promise<string | undefined> {
  try {
    const { stdout } = await run('flock', ['--version'])
    return stdout.trim().replace(/^flock from /, '')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
