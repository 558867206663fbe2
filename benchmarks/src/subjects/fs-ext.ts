import type { Subject } from '../subject.ts'
import { librarySubject } from './library-subject.ts'

/** The floor of JavaScript without Rust: what `flock()` cannot undercut. */
export const fsExtSubject: Subject = librarySubject({
  name: 'fs-ext',
  title: 'fs-ext alone',
  summary: 'flock(2) on one file a slot: the calls of the C floor, from JavaScript and without procref',
  maxSlots: 10_000,
  waits: 'in the kernel, for one slot picked by chance; a thread of libuv (there are four) is blocked meanwhile',
  waitsForOne: true,
  declares: async () => ({ platforms: ['linux', 'darwin', 'win32'], where: 'its README' }),
  library: 'fs-ext',
})
