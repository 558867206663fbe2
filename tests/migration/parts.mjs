import { migrating } from '@procref/core'
import { flock } from '@procref/flock'
import { hybrid } from '@procref/hybrid'
import { lockfile } from '@procref/lockfile'
import { native, ofdRange, robustMutex, sysv } from '@procref/native'

const BACKENDS = { flock, native, 'ofd-range': ofdRange, sysv, 'robust-mutex': robustMutex, hybrid, lockfile }

/** 0: plain `from`; 1, 2, 3: the phases; 4: plain `to`, which can open the directory once it was moved. */
export function backendOf(part, from, to) {
  if (part === 0) return BACKENDS[from]()
  if (part === 4) return BACKENDS[to]()
  return migrating({ from: BACKENDS[from](), to: BACKENDS[to](), phase: part })
}
