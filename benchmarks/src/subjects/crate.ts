import { execFileSync } from 'node:child_process'
import { buildRustProgram, cargoMissing, crateVersion } from '../rust-program.ts'
import { CannotPrepareError, type PreparedSubject, type Subject } from '../subject.ts'

/** So many folders of a run can be in use at the same time. */
const MOST_NAMES = 64

export const crateSubject: Subject = {
  name: 'crate',
  title: 'crate procref 0.1.0',
  summary:
    'its counter of references, a System V semaphore with SEM_UNDO; whoever finds the count too large gives back',
  kind: 'program',
  // SEMVMX is 32,767, and who finds all taken has counted itself for a moment.
  maxSlots: 32_000,
  betweenProcesses: true,
  waits: 'by a timer of 100 ms around it, as the crate itself waits for another process',
  declares: async () => ({ platforms: ['linux', 'darwin', 'win32'], where: 'its README' }),
  async unavailable() {
    if (process.platform === 'linux') return cargoMissing()
    return { reason: 'elsewhere it counts by other means than on Linux', remedy: 'run it on Linux' }
  },
  async prepare() {
    return counters(await buildRustProgram('crate-counter'))
  },
}

/**
 * The crate has a set for each name, under one of 128 keys that the whole machine shares (its key is the sum of the name's bytes; where that
 * makes a negative one, it fails), and removes none. So the folders of a run get names whose keys nobody uses, in turn, and their sets are
 * removed before they are used again and at the end.
 */
function counters(file: string): PreparedSubject {
  const names = execFileSync(file, ['--unused', String(MOST_NAMES)], { encoding: 'utf8' })
    .split('\n')
    .filter(Boolean)
  if (names.length === 0) {
    throw new CannotPrepareError({
      reason: 'somebody uses all System V keys that the crate can have',
      remedy: '`ipcs -s` lists them, `ipcrm -S KEY` removes one that nobody needs',
    })
  }
  const remove = (some: readonly string[]): void => {
    execFileSync(file, ['--remove', ...some])
  }
  const dirs = new Map<string, string>()
  const nameOf = (dir: string): string => {
    const known = dirs.get(dir)
    if (known !== undefined) return known
    const name = names[dirs.size % names.length] ?? ''
    if (dirs.size >= names.length) remove([name])
    dirs.set(dir, name)
    return name
  }
  return {
    version: crateVersion('procref'),
    command: (dir, slots) => ({ file, args: [nameOf(dir), String(slots)] }),
    async [Symbol.asyncDispose]() {
      remove(names)
    },
  }
}
