// How much memory a program has for itself alone, in bytes.
import { readFileSync } from 'node:fs'

/**
 * WRONG: `process.memoryUsage.rss()`, in which the pages of the executable and its libraries are, too: those the system takes away when memory
 * is short, and they come back one by one, by as much as thousands of waits would cost.
 */
export function ownMemory() {
  const [, kilobytes] = /^RssAnon:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  if (kilobytes === undefined) throw new Error('/proc/self/status says nothing of RssAnon')
  return Number(kilobytes) * 1024
}
