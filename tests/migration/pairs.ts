import type { SlotBackend } from '@procref/core'
import { flock } from '@procref/flock'
import { hybrid } from '@procref/hybrid'
import { lockfile } from '@procref/lockfile'
import { isNativeCodeHere, native, ofdRange, robustMutex, sysv } from '@procref/native'
import { describe } from 'vitest'

export interface Pair {
  readonly name: string
  from(): SlotBackend
  to(): SlotBackend
}

/** From the seed's files to ranges, and from each kind of table to files. */
export const PAIRS: readonly Pair[] = [
  { name: 'flock to ofd-range', from: flock, to: ofdRange },
  { name: 'sysv to native', from: sysv, to: native },
  { name: 'robust-mutex to native', from: robustMutex, to: native },
]

/** Control locks of two kinds, and claims that take a hundred times as long. */
export const SLOW_PAIRS: readonly Pair[] = [
  { name: 'lockfile to native', from: lockfile, to: native },
  { name: 'hybrid to lockfile', from: hybrid, to: lockfile },
]

/** One backend of each pair is native. */
export const describeMigration = describe.runIf(isNativeCodeHere() && process.platform === 'linux')
if (!isNativeCodeHere()) console.warn('NOT RUN: tests of migrations, because the native code is not built')
