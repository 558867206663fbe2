import { buildRustProgram, cargoMissing, crateVersion } from '../rust-program.ts'
import type { Subject } from '../subject.ts'

/** What the project began with as a proposal, before anybody had tried it. */
export const seedSlotsSubject: Subject = {
  name: 'seed-slots',
  title: "the design's SlotManager",
  summary:
    'flock(2) on one file a slot in Rust, as the original design has it: the process id is written into it, nothing is checked',
  kind: 'program',
  maxSlots: 10_000,
  betweenProcesses: true,
  waits: 'by a timer of 100 ms around it: it can only try',
  declares: async () => ({ platforms: ['linux', 'darwin', 'win32'], where: 'the original design' }),
  unavailable: async () => cargoMissing(),
  async prepare() {
    const file = await buildRustProgram('seed-slots')
    return {
      version: `fs2 ${crateVersion('fs2')}`,
      command: (dir, slots) => ({ file, args: [dir, String(slots)] }),
      async [Symbol.asyncDispose]() {},
    }
  },
}
