import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as after } from 'node:timers/promises'

/** Memory of a process that is resident, in MiB. */
export function rssMb(pid: number): number {
  return statusMb(pid, 'VmRSS')
}

/** What the C library hands out in small pieces (below the program break), of that which is resident, in MiB: not V8's heap. */
export function commonMb(pid: number): number {
  const maps = readFileSync(`/proc/${pid}/smaps`, 'utf8')
  const sizes = maps.matchAll(/\[heap\]\n(?:[^\n]*\n)*?Rss:\s+(\d+) kB/g)
  return [...sizes].reduce((sum, [, kilobytes]) => sum + Number(kilobytes), 0) / 1024
}

/** The most that was resident while something went on. */
export async function peakMb(pid: number, during: () => Promise<void>): Promise<number> {
  // Makes the kernel forget the highest that it has seen before.
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
  await during()
  return statusMb(pid, 'VmHWM')
}

const LOOK_MS = 200

/** What is left once it is back where it was, or the time is over that a process has to give back what it does not need any more. */
export async function settledMb(pid: number, before: number, withinMs: number): Promise<number> {
  for (const deadline = performance.now() + withinMs; performance.now() < deadline; await after(LOOK_MS)) {
    if (rssMb(pid) <= before * 1.1) break
  }
  return rssMb(pid)
}

function statusMb(pid: number, what: 'VmRSS' | 'VmHWM'): number {
  const kilobytes = new RegExp(`^${what}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kilobytes) / 1024
}
