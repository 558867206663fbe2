import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from '@procref/conformance/harness'
import { fileKey, heldLocks } from './file-locks.ts'
import { commandLine, environment, isAlive, openFiles, processes, processState } from './proc.ts'

/** A process that has a lock file of the directory open, or locked. */
export interface DirectoryUser {
  /** 0: the kernel does not say. */
  readonly pid: number
  readonly command: string
  /** The lock files of the directory that it has open, deleted ones too, or that are locked still. */
  readonly locks: readonly string[]
}

/**
 * Ends the guardian and the server of a procref directory and waits until nobody has one of its lock files open: a test's
 * last act. Clients are the test's own children, to be ended before by the test; who is left is named in the error.
 *
 * A process is ended only when it carries procref's marker (`PROCREF_INSTANCE` or `PROCREF_GUARDIAN`) in its environment
 * and has a file below `dir` open, or names `dir` in its command line or environment (a guardian that is just starting).
 */
export async function endDirectory(dir: string): Promise<void> {
  let left: readonly DirectoryUser[] = []
  try {
    await eventually(`nobody has a lock of ${dir} open`, () => {
      const servants = servantsOf(dir)
      for (const pid of servants) endProcess(pid)
      left = lockUsers(dir)
      return servants.length === 0 && left.length === 0
    })
  } catch (cause) {
    const names = left.map(({ pid, command, locks }) => `pid ${pid} (${command}) has ${locks.join(', ')}`)
    throw new Error(`${dir} is still in use: ${names.join('; ') || 'its guardian or server does not end'}`, { cause })
  }
}

/** The pids of the directory's guardian and server (and of guardians on their way in or out). */
export function servantsOf(dir: string): readonly number[] {
  return processes().flatMap(({ pid }) => {
    if (pid === process.pid) return []
    const env = environment(pid)
    if (env.PROCREF_INSTANCE === undefined && env.PROCREF_GUARDIAN === undefined) return []
    const named = [...commandLine(pid), ...Object.values(env)].some((text) => text.includes(dir))
    return named || openFiles(pid).some(({ target }) => isBelow(dir, target)) ? [pid] : []
  })
}

/**
 * Who has a lock file of the directory open: whoever holds a lock is among them. A process that is ending gives up its list of open files
 * first and its locks a moment later; in between it is told by the kernel's table of locks, but for files that were deleted.
 */
export function lockUsers(dir: string): readonly DirectoryUser[] {
  const users = processes().flatMap(({ pid }) => {
    const locks = openFiles(pid)
      .map(({ target }) => target)
      .filter((target) => isBelow(dir, target) && /\.lock( \(deleted\))?$/.test(target))
    return locks.length === 0 ? [] : [{ pid, command: commandLine(pid).join(' '), locks }]
  })
  // Read after the open files: who had given them up by then, and is not in this table, holds nothing any more.
  return [...users, ...endingHolders(dir, users)]
}

/** Who holds a lock below `dir` and has no open file to show for it. */
function endingHolders(dir: string, users: readonly DirectoryUser[]): readonly DirectoryUser[] {
  const held = heldLocks()
  if (held.length === 0) return []
  const pathOf = new Map(lockFilesBelow(dir).map(({ path, key }) => [key, path]))
  const ending = new Map<number, string[]>()
  for (const { pid, file } of held) {
    const path = pathOf.get(file)
    if (path === undefined) continue
    const openIn = users.filter(({ locks }) => locks.includes(path)).map((user) => user.pid)
    // Who took it may have passed it on to a child, which has it open.
    const isPassedOn = openIn.length > 0 && !(isAlive(pid) && openFiles(pid).length === 0)
    if (openIn.includes(pid) || isPassedOn) continue
    ending.set(pid, [...(ending.get(pid) ?? []), path])
  }
  return [...ending].map(([pid, locks]) => ({ pid, command: 'a process that is ending', locks }))
}

function lockFilesBelow(dir: string): readonly { readonly path: string; readonly key: string }[] {
  return (unlessOutOfReach(() => readdirSync(dir, { withFileTypes: true })) ?? []).flatMap((entry) => {
    const path = join(dir, entry.name)
    if (entry.isDirectory()) return lockFilesBelow(path)
    const stat = entry.name.endsWith('.lock') ? unlessOutOfReach(() => lstatSync(path)) : undefined
    return stat === undefined ? [] : [{ path, key: fileKey(stat) }]
  })
}

/** Not there (any more), no folder, or closed to us. */
const OUT_OF_REACH = new Set(['ENOENT', 'ENOTDIR', 'EACCES'])

function unlessOutOfReach<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    if (OUT_OF_REACH.has((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

function isBelow(dir: string, path: string): boolean {
  return path.startsWith(`${dir}/`)
}

/** The start time is read again right before the signal, so that a reused pid is not hit. */
function endProcess(pid: number): void {
  const seen = processState(pid)
  if (seen === undefined || !isAlive(pid)) return
  if (environment(pid).PROCREF_INSTANCE === undefined && environment(pid).PROCREF_GUARDIAN === undefined) return
  if (processState(pid)?.startTicks !== seen.startTicks) return
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
