import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ifVisible, isGone, isRefused } from '@procref/core'

/** Names a file while somebody keeps it open; afterwards its number is given to another file. */
export interface FileId {
  readonly dev: bigint
  readonly ino: bigint
}

interface FileHolder {
  readonly pid: number
  readonly fd: number
}

export interface FileHolders {
  readonly holders: readonly FileHolder[]
  /** Processes whose descriptors must not be seen (other users'). */
  readonly unreadable: number
  /** False where the system does not tell at all who has a file open. */
  readonly supported: boolean
}

/** The event loop is given a turn whenever the search has used it for so long. */
const TURN_MS = 5

/**
 * Every descriptor by which some process has this file open, this process included.
 *
 * Guarantee: a process that had it open all the time is listed, unless it is counted as `unreadable` or lives in another
 * pid namespace.
 * Caller: keep the file open, or its lock held, meanwhile, so that its number stays its own; having a file open is not holding
 * its lock.
 */
export async function holdersOf(file: FileId): Promise<FileHolders> {
  if (process.platform !== 'linux') return { holders: [], unreadable: 0, supported: false }
  const holders: FileHolder[] = []
  let unreadable = 0
  let turnBegan = performance.now()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const fds = descriptorsOf(name)
    if (fds === undefined) unreadable++
    for (const fd of fds ?? []) {
      if (leadsTo(`/proc/${name}`, fd, file)) holders.push({ pid: Number(name), fd: Number(fd) })
      if (performance.now() - turnBegan > TURN_MS) {
        await nextTurn()
        turnBegan = performance.now()
      }
    }
  }
  return { holders, unreadable, supported: true }
}

/**
 * The value of `name` in the environment with which the process was started; `undefined` when it has none, must not be
 * seen, or is dying: a process loses its environment before its locks, so wait before judging a holder by it.
 */
export function environmentOf(pid: number, name: string): string | undefined {
  const prefix = `${name}=`
  const environment = ifVisible(() => readFileSync(`/proc/${pid}/environ`, 'utf8')) ?? ''
  return environment
    .split('\0')
    .find((entry) => entry.startsWith(prefix))
    ?.slice(prefix.length)
}

/** `undefined`: must not be seen. None: the process is gone. */
function descriptorsOf(pid: string): readonly string[] | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`)
  } catch (error) {
    if (isGone(error)) return []
    if (isRefused(error)) return undefined
    throw error
  }
}

function leadsTo(process: string, fd: string, file: FileId): boolean {
  // Sockets, pipes and the like are not paths.
  if (ifVisible(() => readlinkSync(`${process}/fd/${fd}`))?.startsWith('/') !== true) return false
  // stat() of a descriptor asks its file system, and hangs on a dead network mount: only when the number is the same
  // (Linux 5.14 and newer tell it) is it worth that.
  const info = ifVisible(() => readFileSync(`${process}/fdinfo/${fd}`, 'utf8'))
  const ino = /^ino:\t(\d+)$/m.exec(info ?? '')?.[1]
  if (ino !== undefined && BigInt(ino) !== file.ino) return false
  const stat = ifVisible(() => statSync(`${process}/fd/${fd}`, { bigint: true }))
  return stat !== undefined && stat.dev === file.dev && stat.ino === file.ino
}
