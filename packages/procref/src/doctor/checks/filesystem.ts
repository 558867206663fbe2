import { filesystemOf } from '@procref/core'
import type { Check, Finding } from '../check.ts'

/** What the directory is kept on: do locks reach everybody there, and do the data last? */
export const filesystem: Check = {
  id: 'filesystem',
  looksAt: 'the file system: locks, durability',
  where: 'anywhere',
  async examine({ paths }) {
    const { name, kind } = await filesystemOf(paths.root)
    const finding = describe(paths.root, name, kind)
    return { found: `${name}, ${kind}`, findings: finding === undefined ? [] : [finding] }
  },
}

function describe(path: string, name: string, kind: string): Finding | undefined {
  switch (kind) {
    case 'network':
    case 'pass-through':
      return {
        code: 'unsafe-filesystem',
        severity: 'problem',
        path,
        found: `${path} is on ${name}, a ${kind} file system.`,
        why: 'Locks do not reach everybody who sees the files there, so two servers could open one database. procref refuses it.',
        remedy:
          'Choose a directory on a local disk (--dir, PROCREF_DIR), or take the risk with --allow-unsafe-filesystem.',
      }
    case 'memory':
      return {
        code: 'memory-filesystem',
        severity: 'warning',
        path,
        found: `${path} is on ${name}, which is kept in memory.`,
        why: 'A restart of the machine, or of the container, loses everything that was written.',
        remedy: 'Nothing, if the data need not last; else choose a directory on a disk (--dir, PROCREF_DIR).',
      }
    case 'unknown':
      return {
        code: 'unknown-filesystem',
        severity: 'note',
        path,
        found: `${path} is on ${name}, which procref does not know.`,
        why: 'It is tried out, two locks on one file, each time the slots are opened; what other machines do there cannot be tried.',
        remedy: 'Nothing, if only this machine sees the files.',
      }
    default:
      return undefined
  }
}
