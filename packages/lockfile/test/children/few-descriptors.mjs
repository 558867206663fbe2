// Takes a lock again and again, with one descriptor more each time, from none to more than it takes. args: the directory.
import { closeSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { lockfile } from '@procref/lockfile'
import { say, useUpDescriptors } from '@procref/testing/child'

const [, , dir] = process.argv
const { locks } = lockfile()
const used = useUpDescriptors()
for (let spare = 0; ; spare++) {
  let code = 'taken'
  try {
    // Kept, as what it has loaded is: so it is the first one that is taken.
    if (locks.tryLock(`${dir}/${spare}.lock`) === undefined) code = 'refused'
  } catch (error) {
    code = error.code
  }
  say('tried', { spare, code })
  if (code === 'taken' || used.length === 0) break
  closeSync(used.pop())
  // A thread that has ended gives its descriptors back with the next turns of this one's event loop.
  await setTimeout(20)
}
