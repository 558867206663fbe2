import type { Subject } from '../subject.ts'
import { librarySubject } from './library-subject.ts'

export const osLockSubject: Subject = librarySubject({
  name: 'os-lock',
  title: 'os-lock',
  summary: 'POSIX record locks (fcntl(2)), one byte of a file a slot: they belong to the process',
  maxSlots: 10_000,
  waits: 'in the kernel, for one slot picked by chance; a thread of libuv (there are four) is blocked meanwhile',
  waitsForOne: true,
  declares: async () => ({ platforms: ['linux', 'darwin', 'win32'], where: 'its README' }),
  library: 'os-lock',
})
