import type { BackendCandidate } from '@procref/core'

/** A backend that the command and `connect()` know by name. */
export interface KnownBackend extends BackendCandidate {
  readonly protocol: string
  /** May it be chosen for a directory that nobody has used yet, when nobody asks for another one? */
  readonly byDefault?: true
}

/**
 * All of them, the best first. By default only those whose slots reach every process of the machine, whatever container it is in, and
 * that interoperate with the seed's program; the others are for those who ask for them.
 */
export const KNOWN_BACKENDS: readonly KnownBackend[] = [
  {
    name: 'native',
    protocol: 'flock',
    byDefault: true,
    load: async () => (await import('@procref/native')).native(),
  },
  { name: 'flock', protocol: 'flock', byDefault: true, load: async () => (await import('@procref/flock')).flock() },
  { name: 'ofd-range', protocol: 'ofd-range', load: async () => (await import('@procref/native')).ofdRange() },
  { name: 'sysv', protocol: 'sysv', load: async () => (await import('@procref/native')).sysv() },
  { name: 'robust-mutex', protocol: 'robust-mutex', load: async () => (await import('@procref/native')).robustMutex() },
]
