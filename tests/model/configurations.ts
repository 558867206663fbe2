import type { Defines, Search } from './spin.ts'

export interface Named extends Search {
  readonly name: string
}

export const SMALL_LIMITS = { memoryMb: 1_000, hashBits: 21, optimize: '-O1' } as const
const FULL_LIMITS = { memoryMb: 12_000, hashBits: 27, optimize: '-O2' } as const

/** What CI searches. */
export const SMALL: readonly Named[] = [
  {
    name: 'two clients, two faults, the server bound to its guardian',
    defines: { CLIENTS: 2, FAULTS: 2 },
    looksFor: 'states',
    ...SMALL_LIMITS,
  },
  {
    name: 'two clients, two faults, the server not bound',
    defines: { CLIENTS: 2, FAULTS: 2, UNBOUND: true },
    looksFor: 'states',
    ...SMALL_LIMITS,
  },
  {
    name: 'two clients, two faults, one of them never leaves by itself',
    defines: { CLIENTS: 2, FAULTS: 2, STAYS: true },
    looksFor: 'states',
    ...SMALL_LIMITS,
  },
  {
    name: 'two clients, one fault: nobody goes round for ever',
    defines: { CLIENTS: 2, FAULTS: 1 },
    looksFor: 'cycles',
    ...SMALL_LIMITS,
  },
]

/** What `pnpm soak` searches, and what CI does. */
export const FULL: readonly Named[] = [
  {
    name: 'two clients, three faults, the server bound to its guardian',
    defines: { CLIENTS: 2, FAULTS: 3 },
    looksFor: 'states',
    ...FULL_LIMITS,
  },
  {
    name: 'two clients, three faults, the server not bound',
    defines: { CLIENTS: 2, FAULTS: 3, UNBOUND: true },
    looksFor: 'states',
    ...FULL_LIMITS,
  },
  {
    name: 'three clients, three guardians at a time, one fault',
    defines: { CLIENTS: 3, GUARDIANS: 3, FAULTS: 1 },
    looksFor: 'states',
    ...FULL_LIMITS,
  },
  {
    name: 'three clients, two faults, the server bound to its guardian',
    defines: { CLIENTS: 3, FAULTS: 2 },
    looksFor: 'states',
    ...FULL_LIMITS,
  },
  {
    name: 'three clients, two faults, the server not bound',
    defines: { CLIENTS: 3, FAULTS: 2, UNBOUND: true },
    looksFor: 'states',
    ...FULL_LIMITS,
  },
]

export interface Broken {
  /** Without `BROKEN_`. */
  readonly variant: string
  readonly what: string
  readonly violates: string
  readonly defines?: Defines
  readonly looksFor?: Search['looksFor']
}

/** One rule broken in each, and what has to come of it. */
export const BROKEN: readonly Broken[] = [
  {
    variant: 'PROBES_BEFORE_DRAINING',
    what: 'the slots are probed before `draining` is written',
    violates: 'no server is stopped under a held lease',
  },
  {
    variant: 'READS_BEFORE_CLAIM',
    what: 'a client reads the record before it claims its slot',
    violates: 'no server is stopped under a held lease',
  },
  {
    variant: 'ERROR_IS_FREE',
    what: 'a slot that cannot be probed is taken for free',
    violates: 'no server is stopped under a held lease',
  },
  {
    variant: 'LAUNCHES_BEFORE_RECORD',
    what: 'the server is launched before its epoch is recorded',
    violates: 'a server can be proven ours',
    defines: { UNBOUND: true },
  },
  {
    variant: 'FORGETS_PREVIOUS',
    what: 'a guardian that has not had server.lock becomes `previous`',
    violates: 'a server can be proven ours',
    defines: { UNBOUND: true, FAULTS: 2 },
  },
  {
    variant: 'STOPPED_ON_EXIT',
    what: '`stopped` is written on the exit event, without server.lock',
    violates: 'stopped means that nothing holds the data',
  },
  { variant: 'NO_ELECTION', what: 'guardian.lock is not held', violates: 'never two guardians' },
  {
    variant: 'NO_SERVER_LOCK',
    what: 'server.lock is not waited for',
    violates: 'never two servers on one data directory',
  },
  {
    variant: 'WAIT_IGNORES_EPOCH',
    what: 'a wait takes any `failed` for its own, of whichever epoch',
    violates: 'a failure is told to those who waited for it, and to nobody else',
  },
  {
    variant: 'FORGETS_FIRST_LOOK',
    what: 'what a wait finds after its own launch is taken for what was there before it',
    violates: 'a failure is told to those who waited for it, and to nobody else',
  },
  {
    variant: 'LEASE_IGNORES_EPOCH',
    what: 'a lease does not compare epochs',
    violates: 'a lease has a server again',
    defines: { STAYS: true },
  },
  {
    variant: 'WAITS_FOR_NEXT_STATE',
    what: 'a client waits for the state after `stopping`, whether or not its guardian lives',
    violates: 'every client gets an answer',
  },
  {
    variant: 'TRIES_WITHOUT_HINT',
    what: 'a guardian tries to stop again and again while a slot is held',
    violates: 'non-progress cycle',
    looksFor: 'cycles',
    defines: { STAYS: true },
  },
]
