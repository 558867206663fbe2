import type { MigrationPhase, SlotBackend } from '@procref/core'
import { flock } from '@procref/flock'
import { isNativeCodeHere, native, ofdRange, robustMutex, sysv } from '@procref/native'

export const PHASES: readonly MigrationPhase[] = [1, 2, 3]

export interface Pair {
  readonly name: string
  from(): SlotBackend
  to(): SlotBackend
}

/** From the seed's files to ranges, and from each kind of table to files. */
export const PAIRS: readonly Pair[] = isNativeCodeHere()
  ? [
      { name: 'flock to ofd-range', from: flock, to: ofdRange },
      { name: 'sysv to native', from: sysv, to: native },
      { name: 'robust-mutex to native', from: robustMutex, to: native },
    ]
  : []
