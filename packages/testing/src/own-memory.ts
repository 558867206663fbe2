import { readFileSync } from 'node:fs'

/**
 * How much memory a process has for itself alone, in bytes. Linux.
 *   WRONG: `process.memoryUsage.rss()`, in which the pages of the executable and its libraries are, too: those the system takes away when memory
 *   is short, and they come back one by one, by as much as thousands of waits would cost.
 */
export function ownMemory(pid: number): number {
  const path = `/proc/${pid}/status`
  const [, kilobytes] = /^RssAnon:\s*(\d+) kB$/m.exec(readFileSync(path, 'utf8')) ?? []
  if (kilobytes === undefined) throw new Error(`${path} says nothing of RssAnon`)
  return Number(kilobytes) * 1024
}
