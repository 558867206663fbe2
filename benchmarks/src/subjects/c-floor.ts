import { compile, compilerMissing } from '../compile.ts'
import type { Subject } from '../subject.ts'

/** What the others are measured against: the system calls of the slot-file protocol, and nothing else. */
export const cFloor: Subject = {
  name: 'c-floor',
  title: 'C floor',
  summary: 'open, flock(2), fstat, stat, pwrite and close in C: what `native()` cannot undercut',
  kind: 'floor',
  maxSlots: 10_000,
  betweenProcesses: true,
  waits: 'in the kernel, for the slot that it met first',
  waitsForOne: true,
  declares: async () => ({ platforms: ['linux', 'darwin', 'freebsd'], where: 'the manual pages of flock(2)' }),
  unavailable: compilerMissing,
  async prepare(home) {
    const program = await compile('slot-file', home)
    return {
      command: (dir, slots) => ({ file: program, args: [dir, String(slots)] }),
      async [Symbol.asyncDispose]() {},
    }
  },
}
