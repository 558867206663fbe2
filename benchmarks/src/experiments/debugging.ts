import { readFileSync, statSync } from 'node:fs'
import { Actor } from '../actor/actor.ts'
import type { Experiment } from '../experiment.ts'
import { takeOnlyPermit } from './only-permit.ts'
import { overEach } from './over-each.ts'
import { mentions, openFilesOf, poolFiles } from './pool-files.ts'
import { withDescendants } from './wakes.ts'

export const debugging: Experiment = {
  name: 'debugging',
  title: 'Can a person see who holds a permit?',
  scale: 'quick',
  needsLinux: true,
  observe: (context) =>
    overEach(debugging, context, {
      atOnce: 2,
      async observe({ prepared }, dir) {
        await using holder = await Actor.start(prepared, dir, 1)
        await using other = await Actor.start(prepared, dir, 1)
        const filesBefore = poolFiles(dir, holder.pid)
        const namedBefore = new Set(filesBefore.filter((file) => mentions(file, holder.pid)))
        await takeOnlyPermit(holder)
        if ((await other.ask('try')).slot !== null) throw new Error('two processes had the only permit of a new pool')
        // A program that holds for another one, as flock(1) does, is as good: `ps` leads from it to its parent.
        const pids = withDescendants(holder.pid)
        const files = poolFiles(dir, holder.pid)
        const told = await other.askIfAble('holders')
        const ways = [
          ...(told?.pids.some((pid) => pids.includes(pid)) ? ['its own list'] : []),
          // A file that named it before it held anything names whoever uses the pool.
          ...(pids.some((pid) => files.some((file) => mentions(file, pid) && !namedBefore.has(file)))
            ? ['PID in a file']
            : []),
          ...(pids.some((pid) => isInKernelTable(pid, files)) ? ['/proc/locks'] : []),
          ...(hasOpenAlone(pids, withDescendants(other.pid), files) ? ['lsof'] : []),
        ]
        const looked =
          "While one process held the only permit its PID was looked for in what the subject itself tells, in the pool's files " +
          '(names and text), in /proc/locks, and among those that have a file of the pool open (as lsof shows) that no other user of it has.'
        if (ways.length === 0)
          return { verdict: 'breaks', finding: 'no', evidence: `${looked} It was found in none of them.` }
        return { verdict: 'holds', finding: ways.join(', '), evidence: `${looked} Found: ${ways.join(', ')}.` }
      },
    }),
}

/** proc_locks(5): the fifth word is the pid, the sixth MAJOR:MINOR:INODE of the file. Locks of open file descriptions have no pid there. */
function isInKernelTable(pid: number, files: readonly string[]): boolean {
  const inodes = new Set(files.map((file) => String(statSync(file, { throwIfNoEntry: false })?.ino)))
  return readFileSync('/proc/locks', 'latin1')
    .split('\n')
    .map((line) => line.split(/\s+/))
    .some((words) => words[4] === String(pid) && inodes.has(words[5]?.split(':')[2] ?? ''))
}

function hasOpenAlone(pids: readonly number[], others: readonly number[], files: readonly string[]): boolean {
  const open = new Set(pids.flatMap((pid) => [...openFilesOf(pid)]))
  const openToo = new Set(others.flatMap((pid) => [...openFilesOf(pid)]))
  return files.some((file) => open.has(file) && !openToo.has(file))
}
