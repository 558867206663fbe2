import { readdirSync, readFileSync, readlinkSync, type Stats, statSync } from 'node:fs'

/**
 * What the Linux kernel says of processes, read afresh at each call. Everything here answers `undefined` or an empty list
 * for a process that is gone, or that we may not look into.
 */
export interface ProcessState {
  readonly pid: number
  readonly parentPid: number
  readonly processGroup: number
  readonly session: number
  /** `R` running, `S` sleeping, `T` stopped, `Z` zombie, `D` uninterruptible … */
  readonly state: string
  /** 1 is the last one; a process whose first thread has ended is a `Z` that goes on as long as the others do. */
  readonly threads: number
  /** Start time in clock ticks since boot: with the pid it identifies a process until the next boot. */
  readonly startTicks: number
}

export interface OpenFile {
  readonly fd: number
  /** What the descriptor leads to: a path (with ` (deleted)` after it once it is), `socket:[…]`, `pipe:[…]` … */
  readonly target: string
}

/** The process table's entry, a zombie's too. */
export function processState(pid: number): ProcessState | undefined {
  const fields = fieldsOf(readProc(`${pid}/stat`))
  if (fields === undefined) return undefined
  const field = (position: number): string => fields[position - 3] ?? ''
  return {
    pid,
    state: field(3),
    parentPid: Number(field(4)),
    processGroup: Number(field(5)),
    session: Number(field(6)),
    threads: Number(field(20)),
    startTicks: Number(field(22)),
  }
}

/** From the third one on. The second is the program's name in parentheses, and may contain both spaces and parentheses. */
function fieldsOf(stat: string | undefined): readonly string[] | undefined {
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
}

/**
 * Does it run (or sleep, or stand still)? A zombie does not, once all its threads have ended: until then its files are open,
 * its locks held and its ports taken, although its first thread may be a zombie already.
 */
export function isAlive(pid: number): boolean {
  const process = processState(pid)
  if (process === undefined || process.state === 'X') return false
  return process.state !== 'Z' || process.threads > 1
}

/** Of each thread, as `ProcessState.state` says it of the first one. */
export function threadStates(pid: number): readonly string[] {
  const tids = unlessGone(() => readdirSync(`/proc/${pid}/task`)) ?? []
  return tids.flatMap((tid) => fieldsOf(readProc(`${pid}/task/${tid}/stat`))?.[0] ?? [])
}

/** Every process we can see. */
export function processes(): readonly ProcessState[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.flatMap((pid) => processState(Number(pid)) ?? [])
}

/** Dead children that their parent has not collected; of `parentPid` only, when given. */
export function zombies(parentPid?: number): readonly ProcessState[] {
  return processes().filter((p) => p.state === 'Z' && (parentPid === undefined || p.parentPid === parentPid))
}

export function commandLine(pid: number): readonly string[] {
  return (readProc(`${pid}/cmdline`) ?? '').split('\0').slice(0, -1)
}

/** The environment it was started with; empty as well for a process that is just dying. */
export function environment(pid: number): Readonly<Record<string, string>> {
  const entries = (readProc(`${pid}/environ`) ?? '').split('\0').filter((entry) => entry.includes('='))
  return Object.fromEntries(
    entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  )
}

export function openFiles(pid: number): readonly OpenFile[] {
  return fdNames(pid).flatMap((fd) => {
    const target = unlessGone(() => readlinkSync(`/proc/${pid}/fd/${fd}`))
    return target === undefined ? [] : [{ fd: Number(fd), target }]
  })
}

/** The pids that have this very file open (the inode, not the path). */
export function whoHasOpen(file: string | Pick<Stats, 'dev' | 'ino'>): readonly number[] {
  const { dev, ino } = typeof file === 'string' ? statSync(file) : file
  return processes()
    .map(({ pid }) => pid)
    .filter((pid) =>
      fdNames(pid).some((fd) => {
        const stat = unlessGone(() => statSync(`/proc/${pid}/fd/${fd}`))
        return stat?.dev === dev && stat.ino === ino
      }),
    )
}

function fdNames(pid: number): readonly string[] {
  return unlessGone(() => readdirSync(`/proc/${pid}/fd`)) ?? []
}

function readProc(name: string): string | undefined {
  return unlessGone(() => readFileSync(`/proc/${name}`, 'utf8'))
}

/** The process ended while we looked, or belongs to somebody else. */
const GONE = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM'])

function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    if (GONE.has((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

/** The number from which on a limit (RLIMIT_NOFILE) leaves the process `spare` descriptors: each new one has the lowest number that is free. */
export function descriptorLimit(pid: number, spare: number): number {
  const used = new Set(openFiles(pid).map(({ fd }) => fd))
  let limit = 0
  for (let left = spare; left > 0 || used.has(limit); limit++) if (!used.has(limit)) left--
  return limit
}
