import type { SpawnPlan } from '../driver.ts'

/** Nothing ties the server to its guardian: the next guardian finds it by `server.lock` and ends it. */
export function unbound(plan: Pick<SpawnPlan, 'file' | 'args'>): [string, ...string[]] {
  return [plan.file, ...plan.args]
}
