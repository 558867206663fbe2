// Uses up this process's descriptors but for a few.
import { execFileSync } from 'node:child_process'
import { closeSync } from 'node:fs'
import { useUpDescriptors } from '@procref/testing/child'

const LIMIT = 200

/** From now on this process can open `spare` files, and not one more. Answers the descriptors that it holds for that. Needs prlimit(1). */
export function leaveDescriptors(spare) {
  execFileSync('prlimit', ['--pid', String(process.pid), `--nofile=${LIMIT}:`])
  const used = useUpDescriptors()
  for (const fd of used.splice(0, spare)) closeSync(fd)
  return used
}
