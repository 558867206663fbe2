import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

// Where things are in the file: crates/locks/src/permit_table/file.rs.
const NAME_AT = 48
const NAME_BYTES = 64
export const BOOT_AT: number = NAME_AT + NAME_BYTES
const GENERATION_AT = 2048
const WATCHDOG_AT: number = GENERATION_AT + 16
export const PROCESSES_AT = 4096
const PROCESS_BYTES = 16
export const MAX_PROCESSES = 4096
export const WORDS_AT: number = PROCESSES_AT + MAX_PROCESSES * PROCESS_BYTES
const WORD_BYTES = 16
const RECORD_BYTES = 512
const OWNED = 1n << 63n
const TICKS_BITS = 41n

/** A process as a word of the table names it. */
export interface Holder {
  readonly pid: number
  readonly startTicks: number
}

/** What stands in a table, read without taking part: nothing is repaired by it. */
export interface TableBytes {
  readonly generation: number
  readonly watchdog: Holder | undefined
  readonly processes: readonly (Holder & { readonly inFlight: number })[]
  /** By slot; a number: free in that generation. */
  readonly words: readonly (Holder | number)[]
}

export function tableFile(dir: string): string {
  return join(dir, 'hybrid.table')
}

export function readTable(dir: string): TableBytes {
  const bytes = readFileSync(tableFile(dir))
  const slots = Number(bytes.readBigUInt64LE(32))
  const places = Array.from({ length: MAX_PROCESSES }, (_, n) => PROCESSES_AT + n * PROCESS_BYTES)
  return {
    generation: Number(bytes.readBigUInt64LE(GENERATION_AT)),
    watchdog: holderIn(bytes.readBigUInt64LE(WATCHDOG_AT)),
    processes: places.flatMap((at) => {
      const holder = holderIn(bytes.readBigUInt64LE(at))
      return holder === undefined ? [] : [{ ...holder, inFlight: bytes.readUInt32LE(at + 8) }]
    }),
    words: Array.from({ length: slots }, (_, slot) => {
      const word = bytes.readBigUInt64LE(WORDS_AT + slot * WORD_BYTES)
      return holderIn(word) ?? Number(word)
    }),
  }
}

export function sizeOfTable(slots: number): number {
  return WORDS_AT + slots * (WORD_BYTES + RECORD_BYTES)
}

export function wordOf({ pid, startTicks }: Holder): bigint {
  return OWNED | (BigInt(pid) << TICKS_BITS) | BigInt(startTicks)
}

/** The semaphores of the table that have a name, as files of /dev/shm. */
export function semaphoresOf(dir: string): readonly string[] {
  const name = readFileSync(tableFile(dir)).toString('latin1', NAME_AT, NAME_AT + NAME_BYTES)
  const base = name.replace(/\0.*$/s, '').slice(1)
  return readdirSync('/dev/shm').filter((file) => file.includes(base))
}

function holderIn(word: bigint): Holder | undefined {
  if ((word & OWNED) === 0n) return undefined
  const identity = word & ~OWNED
  return { pid: Number(identity >> TICKS_BITS), startTicks: Number(identity & ((1n << TICKS_BITS) - 1n)) }
}
