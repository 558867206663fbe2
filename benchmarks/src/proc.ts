import { readdirSync, readFileSync } from 'node:fs'

/** What the Linux kernel counts of a process; it throws for one that is gone. */

export function rssMb(pid: number): number {
  return Number(statusOf(`/proc/${pid}/status`, 'VmRSS').replace(' kB', '')) / 1024
}

/** How often its threads gave up the processor, all that live now together. */
export function voluntarySwitches(pid: number): number {
  return sumOverThreads(pid, (thread) => Number(statusOf(`${thread}/status`, 'voluntary_ctxt_switches')))
}

/** The processor time of its threads, all that live now together, in nanoseconds. */
export function processorNs(pid: number): number {
  return sumOverThreads(pid, (thread) => Number(readFileSync(`${thread}/schedstat`, 'latin1').split(' ')[0]))
}

function sumOverThreads(pid: number, count: (thread: string) => number): number {
  const folder = `/proc/${pid}/task`
  return readdirSync(folder).reduce((sum, thread) => sum + unlessEnded(() => count(`${folder}/${thread}`)), 0)
}

/** A thread may end while we look; its process, of which the folder was listed, did not. */
function unlessEnded(count: () => number): number {
  try {
    return count()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return 0
    throw error
  }
}

function statusOf(file: string, name: string): string {
  const value = new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(readFileSync(file, 'latin1'))?.[1]
  if (value === undefined) throw new Error(`${file} has no ${name}`)
  return value
}
