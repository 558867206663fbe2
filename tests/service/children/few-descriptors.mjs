// Uses up this process's descriptors but for a few.
import { execFileSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'

const LIMIT = 200

/** From now on this process can open `spare` files, and not one more. Needs prlimit(1). */
export function leaveDescriptors(spare) {
  execFileSync('prlimit', ['--pid', String(process.pid), `--nofile=${LIMIT}:`])
  const used = []
  try {
    for (;;) used.push(openSync('/dev/null', 'r'))
  } catch (error) {
    if (error.code !== 'EMFILE') throw error
  }
  for (const fd of used.slice(0, spare)) closeSync(fd)
}
