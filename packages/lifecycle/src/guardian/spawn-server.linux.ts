import { spawnSync } from 'node:child_process'
import type { SpawnPlan } from '../driver.ts'
import { ServerSpawnError } from '../drivers/errors.ts'

/**
 * Becomes the server only under a living guardian (its pid is `$1`):
 *   OK:    setpriv sets the parent-death signal, execs this shell; the shell learns its parent, compares, execs the server.
 *          A guardian that died before the signal was set is not the parent any more; one that dies later sends it.
 *   WRONG: no comparison: killed within 200 µs after the spawn, the guardian left 5 orphans of 40.
 * The signal survives execve(2), except of programs that are set-user-ID or have file capabilities (prctl(2), PR_SET_PDEATHSIG).
 */
const UNDER_GUARDIAN = '[ "$PPID" = "$1" ] || exit 125; shift; exec "$@"'

const TEST_MS = 10_000

export function boundByKernel(plan: Pick<SpawnPlan, 'file' | 'args'>): [string, ...string[]] {
  const shell = ['/bin/sh', '-c', UNDER_GUARDIAN, 'sh', String(process.pid)]
  return ['setpriv', '--pdeathsig', 'KILL', ...shell, plan.file, ...plan.args]
}

/**
 * Runs the whole chain once: BusyBox' setpriv, for one, does not know --pdeathsig. Throws where the question could not be asked (no process
 * or descriptor is left, no answer within 10 s, somebody has killed it): taken for a no, the server would outlive its guardian.
 */
export function canBind(): boolean {
  const [file, ...args] = boundByKernel({ file: 'true', args: [] })
  const { status, signal, error } = spawnSync(file, args, { stdio: 'ignore', timeout: TEST_MS })
  if (error === undefined && signal !== null) throw new ServerSpawnError(file, { cause: killedBy(signal) })
  if (error === undefined || isMissing(error)) return status === 0
  throw new ServerSpawnError(file, { cause: error })
}

function killedBy(signal: NodeJS.Signals): NodeJS.ErrnoException {
  return Object.assign(new Error(`it was ended by ${signal}`), { code: signal })
}

function isMissing({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ENOENT' || code === 'EACCES'
}
