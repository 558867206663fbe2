import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import type { ServerEnd, ServerProcess, SpawnPlan } from '../driver.ts'

/** The server's descriptor for the lock that proves its life. */
const LOCK_FD = 3

/**
 * Becomes the server only under a living guardian. The parent-death signal was set by setpriv before this shell started; a
 * guardian that died before that is not our parent any more. prctl(2), PR_SET_PDEATHSIG; it survives execve(2) of ordinary programs.
 */
const CHECK_PARENT = '[ "$PPID" = "$1" ] || exit 125; shift; exec "$@"'

/** `kernel`: the server dies with its guardian. `none`: an orphan lives at most until the next client comes. */
export type ServerBinding = 'kernel' | 'none'

export interface SpawnServerOptions {
  readonly plan: SpawnPlan
  /** Passed on: the child holds the lock as long as it lives. */
  readonly lockFd?: number
  readonly logFd: number
  readonly nonce: string
}

/**
 * Spawns the server: own session, its life bound to this process where the kernel offers that, output to the log, the lock
 * inherited, `PROCREF_INSTANCE` in its environment. Caller: on the main thread only (the parent-death signal follows the thread).
 */
export function spawnServer(options: SpawnServerOptions): ServerProcess {
  const { plan, lockFd, logFd, nonce } = options
  const env: NodeJS.ProcessEnv = { ...process.env, ...plan.env, PROCREF_INSTANCE: nonce }
  delete env.PROCREF_GUARDIAN
  const [file, ...args] = boundCommand(plan)
  const child = spawn(file, args, {
    cwd: plan.cwd ?? '/',
    detached: true,
    env,
    stdio: ['ignore', logFd, logFd, lockFd ?? 'ignore'].slice(0, LOCK_FD + 1) as [
      'ignore',
      number,
      number,
      number | 'ignore',
    ],
  })
  return { pid: child.pid ?? 0, ended: endOf(child), signal: (name) => void child.kill(name) }
}

/** Whether this machine's setpriv(1) knows --pdeathsig; asked once, when a server is first spawned. */
export function serverBinding(): ServerBinding {
  binding ??=
    process.platform === 'linux' &&
    spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true'], { stdio: 'ignore' }).status === 0
      ? 'kernel'
      : 'none'
  return binding
}

let binding: ServerBinding | undefined

function boundCommand(plan: SpawnPlan): [string, ...string[]] {
  if (serverBinding() === 'none') return [plan.file, ...plan.args]
  const check = ['/bin/sh', '-c', CHECK_PARENT, 'sh', String(process.pid)]
  return ['setpriv', '--pdeathsig', 'KILL', ...check, plan.file, ...plan.args]
}

function endOf(child: ChildProcess): Promise<ServerEnd> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, signal: null, error }))
    child.once('exit', (code, signal) => {
      endGroup(child.pid)
      resolve({ code, signal })
    })
  })
}

/** Workers that the server started hold its lock as well. The group is named after our own child, whose pid was ours until now. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined || process.platform === 'win32') return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    // ESRCH: nobody is left, as it should be. EPERM (macOS): only zombies are.
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ESRCH' && code !== 'EPERM') throw error
  }
}
