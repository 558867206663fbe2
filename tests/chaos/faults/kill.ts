import { described, type Process, signal } from '../processes.ts'
import type { Stage } from '../stage.ts'
import { type Fault, pick } from './fault.ts'

/** One that has never been up is not started again unasked: its end is the answer. */
const KILLED_AT_ITS_START = ['PROCREF_SERVER_EXITED']

export const killServer: Fault = {
  endsServer: true,
  refuses: KILLED_AT_ITS_START,
  inject(stage, [whom]) {
    kill(stage, 'server', pick(stage.servers(), whom))
  },
}

/** Three that were killed while they came up are told as guardians that cannot come up. */
const KILLED_AT_THEIR_LAUNCH = ['PROCREF_GUARDIAN_LAUNCH']

/** The server dies with it. */
export const killGuardian: Fault = {
  endsServer: true,
  explains: KILLED_AT_THEIR_LAUNCH,
  inject(stage, [whom]) {
    kill(stage, 'guardian', pick(stage.guardians(), whom))
  },
}

export const killBoth: Fault = {
  endsServer: true,
  explains: KILLED_AT_THEIR_LAUNCH,
  refuses: KILLED_AT_ITS_START,
  inject(stage) {
    for (const one of [...stage.servers(), ...stage.guardians()]) kill(stage, 'guardian or server', one)
  },
}

export const killClient: Fault = {
  inject(stage, [whom]) {
    pick(stage.clients(), whom)?.kill()
  },
}

export const killAllClients: Fault = {
  inject(stage) {
    for (const client of stage.clients()) client.kill()
  },
}

function kill(stage: Stage, what: string, victim: Process | undefined): void {
  if (victim === undefined) return
  // Whoever serves dies with it, or with its guardian.
  stage.excuses.strike(victim, ...stage.servers())
  stage.trace.add(`the ${what} ${described(victim)} is killed`)
  signal(victim, 'SIGKILL')
}
