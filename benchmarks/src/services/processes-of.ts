import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as after } from 'node:timers/promises'
import { identify, ifVisible, isSameProcess, type ProcessIdentity } from '@procref/core'

/** In the environment of what is no part of procref: the folder that it serves. */
export const MARKER = 'PROCREF_BENCH_DIR'

const LOOK_MS = 20
/** Longer than any honest stop: reaching it means that something was left behind. */
const HANGS_MS = 60_000

/**
 * The guardians, servers and clients of the service in `dir`: they carry procref's marker or ours, and name the folder in their
 * command line or environment, or have a file in it open. Linux.
 */
export function processesOf(dir: string): readonly ProcessIdentity[] {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name)
    if (!Number.isInteger(pid) || pid === process.pid || !belongsTo(dir, pid)) return []
    return identify(pid) ?? []
  })
}

/** Resolves when nothing of it runs any more. What is still there after so long is killed, and named in the error. */
export async function whenNothingRuns(dir: string, patienceMs: number = HANGS_MS): Promise<void> {
  let left = processesOf(dir)
  for (const deadline = performance.now() + patienceMs; left.length > 0; left = processesOf(dir)) {
    if (performance.now() > deadline) {
      const names = left.map(({ pid }) => `pid ${pid} (${read(pid, 'cmdline').replaceAll('\0', ' ')})`)
      for (const process of left) kill(process)
      throw new Error(`what served ${dir} did not stop after its last client, and was killed: ${names.join(', ')}`)
    }
    await after(LOOK_MS)
  }
}

/** Exactly this process, if it still runs: looked at right before the signal. */
export function kill(one: ProcessIdentity): void {
  if (!isSameProcess(one)) return
  try {
    process.kill(one.pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function belongsTo(dir: string, pid: number): boolean {
  const environment = read(pid, 'environ')
  if (environment.includes(`${MARKER}=${dir}\0`)) return true
  if (!/(^|\0)PROCREF_(INSTANCE|GUARDIAN)=/.test(environment)) return false
  return names(read(pid, 'cmdline'), dir) || names(environment, dir) || hasOpen(pid, dir)
}

/** Not another folder whose name begins alike. */
function names(text: string, dir: string): boolean {
  return text.split(dir).some((rest, n) => n > 0 && !/^[\w.-]/.test(rest))
}

function hasOpen(pid: number, dir: string): boolean {
  const descriptors = ifVisible(() => readdirSync(`/proc/${pid}/fd`)) ?? []
  return descriptors.some((fd) => ifVisible(() => readlinkSync(`/proc/${pid}/fd/${fd}`))?.startsWith(`${dir}/`))
}

/** Empty for a process that is gone, or another user's. */
function read(pid: number, file: string): string {
  return ifVisible(() => readFileSync(`/proc/${pid}/${file}`, 'utf8')) ?? ''
}
