import { accessSync, constants, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { size } from '../../cli/size.ts'
import type { Check, Finding } from '../check.ts'
import { lookAtEntry } from '../entry.ts'

/** RocksDB writes its memory tables out in pieces of this order. */
const LOW_BYTES = 256 * 1024 * 1024
/** A start needs its log, its state and the first write-ahead log. */
const NONE_BYTES = 16 * 1024 * 1024
const LOW_FILES = 256

/** The disk: writable, with space and inodes for a database. */
export const disk: Check = {
  id: 'disk',
  looksAt: 'the disk: space left, writable',
  where: 'anywhere',
  examine({ paths }) {
    const at = nearest(paths.root)
    const { bavail, bsize, ffree, files } = statfsSync(at)
    const free = bavail * bsize
    // File systems without a fixed number of inodes say 0.
    const findings = [
      ...readOnly(at),
      ...space(at, free),
      ...(files > 0 && ffree < LOW_FILES ? [fewFiles(at, ffree)] : []),
    ]
    return { found: `${size(free)} free`, findings }
  },
}

function nearest(path: string): string {
  const { kind } = lookAtEntry(path, 'directory')
  return (kind === 'missing' || kind === 'hidden') && dirname(path) !== path ? nearest(dirname(path)) : path
}

function readOnly(path: string): readonly Finding[] {
  try {
    accessSync(path, constants.W_OK)
    return []
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const only = code === 'EROFS'
    return [
      {
        code: only ? 'read-only' : 'not-writable',
        severity: 'problem',
        path,
        found: only
          ? `${path} is on a file system that is mounted read-only.`
          : `${path} cannot be written by this user (${code}).`,
        why: 'No slot can be claimed and no state written, so nobody can connect.',
        remedy: only
          ? 'Mount it writable (a disk with errors is often made read-only: see `dmesg`), or choose another directory.'
          : `See \`ls -ld ${path}\`, or choose another directory (--dir, PROCREF_DIR).`,
      },
    ]
  }
}

function space(path: string, free: number): readonly Finding[] {
  if (free >= LOW_BYTES) return []
  const none = free < NONE_BYTES
  return [
    {
      code: none ? 'disk-full' : 'disk-low',
      severity: none ? 'problem' : 'warning',
      path,
      found: `${size(free)} are left on the disk of ${path}.`,
      why: none
        ? 'A server cannot be started, and one that runs cannot write: its queries fail. What was acknowledged is safe.'
        : 'A database writes in pieces of tens of megabytes; when the disk is full its queries fail. What was acknowledged is safe.',
      remedy: 'Free some space on that disk, or the quota.',
    },
  ]
}

function fewFiles(path: string, files: number): Finding {
  return {
    code: 'few-inodes',
    severity: 'warning',
    path,
    found: `Only ${files} more files can be made on the disk of ${path}.`,
    why: 'A database makes a file for each piece that it writes, and fails without one, however much space there is.',
    remedy: 'Delete files that are not needed (`df -i` shows the count).',
  }
}
