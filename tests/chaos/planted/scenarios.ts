/** What no round brings about: between the steps are microseconds, or nobody may come after the last one. */
import { execFileSync } from 'node:child_process'
import { setTimeout as after } from 'node:timers/promises'
import { descriptorLimit, eventually, isAlive, openFiles } from '@procref/testing'
import { connected, journalOf, killed, serviceDir } from '../../service/service.ts'
import { Stops } from '../../service/stops.ts'
import type { Scenario } from './planted-bug.ts'

const LOOK_MS = 50
/** A guardian that is going to stop its server has told it to end by then, on a busy machine too. */
const STOPS_WITHIN_MS = 10_000
/** Until its linger is over a guardian's descriptors have to be taken, or it rightly stops the server of nobody: on a busy machine, too. */
const BEFORE_THE_PROOF_MS = 10_000
/** A server that is bound to its guardian ends with it. */
const ENDS_WITHIN_MS = 10_000

/*
 * guardian finds all slots free, and stands still
 * late client claims a slot, reads the record, and has a lease or waits
 * guardian goes on
 */
export const aClientThatComesAfterTheProof: Scenario = async (start) => {
  const dir = serviceDir()
  const stops = new Stops()
  const first = start(dir, { stops: stops.dir })
  await connected(first)
  stops.arm('proven')
  await killed(first)
  const guardian = await stops.reached('proven')
  const late = start(dir)
  await eventually('the late client has a lease, or waits', () => /"connected"|"waiting"/.test(late.stdout()))
  process.kill(guardian, 'SIGCONT')
  const { serverPid } = await connected(late)
  return (await endsWithin(STOPS_WITHIN_MS, serverPid)) ? 'a server stopped under a lease' : undefined
}

/*
 * late client reads `serving`, and stands still
 * guardian finds all slots free, and stands still
 * late client goes on, and has a lease
 * guardian goes on, and stops the server
 *
 * A lease without a connection: for the sign-in of one the record is read again, which is after the claim in any case.
 */
export const aClientThatReadsFirst: Scenario = async (start) => {
  const dir = serviceDir()
  const stops = new Stops()
  const launcher = start(dir, { stops: stops.dir })
  await connected(launcher)
  const other = start(dir)
  const { serverPid } = await connected(other)
  // Its own looks would come to the step, too.
  await killed(launcher)
  stops.arm('looking')
  const late = start(dir, { stops: stops.dir, connection: false })
  await stops.reached('looking')
  stops.arm('proven')
  await killed(other)
  const guardian = await stops.reachedWithin(STOPS_WITHIN_MS, 'proven')
  late.kill('SIGCONT')
  await connected(late)
  if (guardian !== undefined) process.kill(guardian, 'SIGCONT')
  return (await endsWithin(STOPS_WITHIN_MS, serverPid)) ? 'a server stopped under a lease' : undefined
}

/*
 * the last client leaves; guardian lingers
 * guardian may open one file more: enough to write what it does, too little to look at a slot by its path
 * late client is connected
 * guardian probes
 */
export const oneDescriptorLeft: Scenario = async (start) => {
  const dir = serviceDir()
  const first = start(dir, { lingerMs: BEFORE_THE_PROOF_MS })
  const { guardianPid, serverPid } = await connected(first)
  await killed(first)
  await eventually('the guardian knows that nobody is left', () =>
    openFiles(guardianPid).every(({ target }) => !/\/slots\/slot_/.test(target)),
  )
  leaveOneDescriptor(guardianPid)
  await connected(start(dir))
  await eventually('the guardian has probed the slots', () => {
    return !isAlive(serverPid) || journalOf(dir).some(({ event }) => event === 'probe-failed')
  })
  return (await endsWithin(STOPS_WITHIN_MS, serverPid)) ? 'a server stopped under a lease' : undefined
}

/*
 * the last client is killed, and before anybody comes the guardian
 */
export const aGuardianKilledLast: Scenario = async (start) => {
  const dir = serviceDir()
  const client = start(dir)
  const { guardianPid, serverPid } = await connected(client)
  await killed(client)
  process.kill(guardianPid, 'SIGKILL')
  return (await endsWithin(ENDS_WITHIN_MS, serverPid)) ? undefined : 'something left behind'
}

async function endsWithin(ms: number, pid: number): Promise<boolean> {
  for (const deadline = performance.now() + ms; isAlive(pid); await after(LOOK_MS)) {
    if (performance.now() > deadline) return false
  }
  return true
}

function leaveOneDescriptor(pid: number): void {
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${descriptorLimit(pid, 1)}:`])
}
