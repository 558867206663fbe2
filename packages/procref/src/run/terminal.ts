import { readFileSync } from 'node:fs'
import { isatty } from 'node:tty'

/**
 * Does the terminal send its Ctrl-C to this process? Then it sends it to the whole foreground process group, children
 * included, and whoever passes it on makes them get it twice.
 *
 * Unspecified: whether one particular signal came from the terminal; the kernel knows, Node does not tell.
 */
export function isForeground(): boolean {
  if (process.platform !== 'linux') return [0, 1, 2].some((fd) => isatty(fd))
  // proc_pid_stat(5): pid (comm) state ppid pgrp session tty_nr tpgid …; comm may contain anything, also `)`.
  const stat = readFileSync('/proc/self/stat', 'latin1')
  const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return group === foreground
}
