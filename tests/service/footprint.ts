import { readdirSync, readFileSync, statSync } from 'node:fs'
import { openFiles, processState } from '@procref/testing'
import { commonMb } from '../../packages/embedded/test/load/memory.ts'

/** What a process takes of the machine. */
export interface Footprint {
  /** Resident memory, and the part of it that is no file's: what a leak would be in. */
  readonly rssMb: number
  readonly anonymousMb: number
  /** Of that, what the C library hands out in small pieces (below the program break): the engine's, its storage's, and Node's buffers; not V8's heap. */
  readonly commonMb: number
  readonly descriptors: number
  readonly threads: number
}

/** Throws when the process is gone. */
export function footprintOf(pid: number): Footprint {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const megabytes = (field: string): number => {
    const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1]
    if (kilobytes === undefined) throw new Error(`/proc/${pid}/smaps_rollup has no ${field}`)
    return Math.round(Number(kilobytes) / 10.24) / 100
  }
  return {
    rssMb: megabytes('Rss'),
    anonymousMb: megabytes('Anonymous'),
    commonMb: Math.round(commonMb(pid) * 100) / 100,
    descriptors: openFiles(pid).length,
    threads: processState(pid)?.threads ?? 0,
  }
}

/** What a service's directory takes, without its database's own files. */
export interface DirectorySizes {
  readonly journalBytes: number
  readonly oldJournalBytes: number
  readonly logBytes: number
  /** All of them, and those that exist only until they are renamed or deleted. */
  readonly files: number
  readonly temporaryFiles: number
  readonly databaseBytes: number
}

export function sizesOf(dir: string): DirectorySizes {
  const names = filesBelow(dir).filter((name) => !name.startsWith('data/db/'))
  return {
    journalBytes: sizeOf(`${dir}/journal.ndjson`),
    oldJournalBytes: sizeOf(`${dir}/journal.ndjson.old`),
    logBytes: sizeOf(`${dir}/server.log`),
    files: names.length,
    temporaryFiles: names.filter((name) => /tmp|spare|taken/.test(name)).length,
    databaseBytes: filesBelow(`${dir}/data/db`).reduce((sum, name) => sum + sizeOf(`${dir}/data/db/${name}`), 0),
  }
}

function filesBelow(dir: string): readonly string[] {
  try {
    return readdirSync(dir, { recursive: true, encoding: 'utf8' })
  } catch (error) {
    // Files come and go, and so do folders, while they are listed.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
