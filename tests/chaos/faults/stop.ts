import { described, type Process, signal } from '../processes.ts'
import type { Stage } from '../stage.ts'
import { between, type Fault, pick } from './fault.ts'

/** Shorter than what anybody concludes something from, and longer. */
const SHORTEST_MS = 50
const LONGEST_MS = 7_000

export const stopServer: Fault = {
  inject(stage, [whom, how]) {
    standStill(stage, pick(stage.servers(), whom), how)
  },
}

export const stopGuardian: Fault = {
  inject(stage, [whom, how]) {
    standStill(stage, pick(stage.guardians(), whom), how)
  },
}

export const stopClient: Fault = {
  inject(stage, [whom, how]) {
    const client = pick(stage.clients(), whom)
    if (client === undefined) return
    client.standsStill(true)
    standStill(stage, client.process, how, () => client.standsStill(false))
  },
}

function standStill(stage: Stage, victim: Process | undefined, how: number | undefined, after = (): void => {}): void {
  if (victim === undefined) return
  const ms = between(SHORTEST_MS, LONGEST_MS, (how ?? 0) ** 3)
  stage.trace.add(`${described(victim)} is stopped for ${ms} ms`)
  signal(victim, 'SIGSTOP')
  stage.forAWhile(ms, () => {
    signal(victim, 'SIGCONT')
    stage.trace.add(`${victim.pid} goes on`)
    after()
  })
}
