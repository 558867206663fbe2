import { closeSync, openSync } from 'node:fs'

/**
 * Throws the system's error (`EMFILE`, `ENFILE`) where this process cannot open `count` more files, tried with the one at `path`: before something
 * that cannot be done again, or would not say why it failed.
 *
 * Guarantee: none of them stays open. Unspecified: whether there are as many a moment later.
 */
export function needDescriptors(path: string, count: number): void {
  const opened: number[] = []
  try {
    while (opened.length < count) opened.push(openSync(path, 'r'))
  } finally {
    for (const fd of opened) closeSync(fd)
  }
}
