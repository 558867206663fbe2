import type { LaunchContext, RunningServer, ServerDetails, SpawnPlan } from '../driver.ts'

/** A server that is a process of its own: TERM asks it, a second TERM hurries it, KILL ends it. */
export function launchChild(
  context: LaunchContext,
  plan: SpawnPlan,
  ready: (server: Pick<RunningServer, 'ended'>, signal: AbortSignal) => Promise<ServerDetails>,
): RunningServer {
  const child = context.spawn(plan)
  return {
    pid: child.pid,
    ended: child.ended,
    ready: ({ signal }) => ready(child, signal),
    terminate: () => child.signal('SIGTERM'),
    kill: () => child.signal('SIGKILL'),
  }
}
