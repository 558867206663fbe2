import type { Storage } from '@procref/lifecycle'

/** What the command line and `connect()` call a kind of server. */
export type DriverName = 'binary' | 'embedded'
export const DRIVER_NAMES: readonly DriverName[] = ['binary', 'embedded']

/** Where a server can keep the data. */
export const STORAGES: readonly Storage[] = ['rocksdb', 'surrealkv', 'memory']
