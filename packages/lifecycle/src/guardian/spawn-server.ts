import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { serverEnvironment } from '../detached/environment.ts'
import type { ServerEnd, ServerProcess, SpawnPlan } from '../driver.ts'
import { ServerSpawnError } from '../drivers/errors.ts'
import { boundByKernel, canBind } from './spawn-server.linux.ts'
import { unbound } from './spawn-server.other.ts'

/** `kernel`: the server dies with its guardian. `none`: an orphan lives at most until the next client comes. */
export type ServerBinding = 'kernel' | 'none'

export interface SpawnServerOptions {
  readonly plan: SpawnPlan
  /** Becomes the server's descriptor 3: the server holds the lock as long as it lives. */
  readonly lockFd?: number
  readonly logFd: number
  readonly nonce: string
}

/**
 * Spawns the server: own session, its life bound to this process where the kernel offers that, output to the log, the lock
 * inherited, a small environment with `PROCREF_INSTANCE` in it.
 *
 * Guarantee: with `serverBinding() === 'kernel'` the server never runs without this process, whenever that dies. When the
 * server has ended, what is left of its process group is ended before `ended` resolves, because workers hold the lock too.
 * Unspecified: workers that made a session of their own.
 * Caller: in the main thread only (the kernel's binding is to the thread that spawns); close the own copy of `lockFd`.
 */
export function spawnServer(options: SpawnServerOptions): ServerProcess {
  const { plan, lockFd, logFd, nonce } = options
  if (!isMainThread)
    throw new Error('spawnServer() must be called in the main thread: the server would die with a worker')
  // Now, because behind setpriv and sh the same fault is only an exit code.
  accessSync(plan.file, constants.X_OK)
  const [file, ...args] = serverBinding() === 'kernel' ? boundByKernel(plan) : unbound(plan)
  const child = spawn(file, args, {
    cwd: plan.cwd ?? '/',
    detached: true,
    env: { ...serverEnvironment(), ...plan.env, PROCREF_INSTANCE: nonce },
    stdio: lockFd === undefined ? ['ignore', logFd, logFd] : ['ignore', logFd, logFd, lockFd],
    windowsHide: true,
  })
  const ended = endOf(child)
  if (child.pid === undefined) throw new ServerSpawnError(plan.file)
  return { pid: child.pid, ended, signal: (name) => void child.kill(name) }
}

let binding: ServerBinding | undefined

/**
 * What this machine offers, for `guarantees.orphan`. Asked once, by running setpriv(1), for some milliseconds in which this
 * process does nothing else.
 */
export function serverBinding(): ServerBinding {
  binding ??= process.platform === 'linux' && canBind() ? 'kernel' : 'none'
  return binding
}

function endOf(child: ChildProcess): Promise<ServerEnd> {
  return new Promise((resolve) => {
    // A spawn that fails is reported by the missing pid; a signal that may not be sent (EPERM) leaves the server running.
    child.on('error', () => {})
    child.once('exit', (code, signal) => {
      if (child.pid !== undefined) endGroup(child.pid)
      resolve({ code, signal })
    })
  })
}

/**
 * Ends the group that our dead child led. While it has members its number is given to no new process; so where a process with
 * that pid exists, the group has ended and the number belongs to somebody else.
 */
function endGroup(pid: number): void {
  if (process.platform === 'win32' || isTaken(pid)) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // ESRCH: nobody is left, as it should be. EPERM: only zombies are (macOS), or programs with other rights. No other faults exist.
  }
}

function isTaken(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
