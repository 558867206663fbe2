import { readFileSync } from 'node:fs'
import { ifVisible } from '@procref/core'

/**
 * Has this process, or its first thread, given up its memory? From then on it runs nothing of its program, and its descriptors, locks and ports go
 * one after the other, before it is a zombie (do_exit() in kernel/exit.c). False where the system does not tell. `isSameProcess` says that it still runs.
 */
export function isEnding(pid: number): boolean {
  if (process.platform !== 'linux') return false
  const stat = ifVisible(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  // Field 23 (vsize), counted from behind the name (field 2), in which everything can be. Everybody may read it.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[20] === '0'
}
