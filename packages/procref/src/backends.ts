import type { BackendCandidate } from '@procref/core'

/** A backend that the command and `connect()` know by name. */
export interface KnownBackend extends BackendCandidate {
  readonly protocol: string
  /** May it be chosen for a directory that nobody has used yet, when nobody asks for another one? */
  readonly byDefault?: true
}

/**
 * All of them, the best first. By default those on flock(2), which reach every process of the machine, whatever container it is in, and
 * share slots with programs in other languages; where neither can be had, the one that needs no native code. The others are for those
 * who ask for them.
 */
export const KNOWN_BACKENDS: readonly KnownBackend[] = [
  {
    name: 'native',
    protocol: 'flock',
    byDefault: true,
    load: async () => (await import('@procref/native')).native(),
  },
  { name: 'flock', protocol: 'flock', byDefault: true, load: async () => (await import('@procref/flock')).flock() },
  {
    name: 'lockfile',
    protocol: 'lockfile',
    byDefault: true,
    load: async () => (await import('@procref/lockfile')).lockfile(),
  },
  { name: 'ofd-range', protocol: 'ofd-range', load: async () => (await import('@procref/native')).ofdRange() },
  { name: 'sysv', protocol: 'sysv', load: async () => (await import('@procref/native')).sysv() },
  { name: 'robust-mutex', protocol: 'robust-mutex', load: async () => (await import('@procref/native')).robustMutex() },
  { name: 'hybrid', protocol: 'hybrid', load: async () => (await import('@procref/hybrid')).hybrid() },
]
