import { eventually } from '@procref/conformance/harness'
import { commandLine, environment, isAlive, openFiles, processes, processState } from './proc.ts'

/** A process that has a file of the directory open. */
export interface DirectoryUser {
  readonly pid: number
  readonly command: string
  /** The lock files of the directory that it has open, deleted ones too. */
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

/** Who has a lock file of the directory open: whoever holds a lock is among them. */
export function lockUsers(dir: string): readonly DirectoryUser[] {
  return processes().flatMap(({ pid }) => {
    const locks = openFiles(pid)
      .map(({ target }) => target)
      .filter((target) => isBelow(dir, target) && /\.lock( \(deleted\))?$/.test(target))
    return locks.length === 0 ? [] : [{ pid, command: commandLine(pid).join(' '), locks }]
  })
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
