import { shareOf } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import {
  clientsOf,
  connected,
  counted,
  DRIVERS,
  type Driver,
  killed,
  nothingIsLeft,
  serviceDir,
  stopped,
  stoppedGuardianNamed,
  wroteRow,
} from './service.ts'
import { START_STEPS, STOP_STEPS, Stops, stoppedAt } from './stops.ts'

const starting = Object.entries(START_STEPS) as [keyof typeof START_STEPS, string][]
const stopping = Object.entries(STOP_STEPS) as [keyof typeof STOP_STEPS, string][]

/** What the guardian has not done yet, as a client's time-out tells it. Before `starting` is written nobody can name a guardian. */
function waitedFor(pid: number, step: keyof typeof START_STEPS | keyof typeof STOP_STEPS): RegExp {
  if (step === 'elected' || step === 'alive') return /PROCREF_CONNECT_TIMEOUT.*waiting for a guardian to start/s
  if (step === 'draining' || step === 'proven') {
    return stoppedGuardianNamed(pid, 'to decide whether the server is still used')
  }
  return stoppedGuardianNamed(pid, step in START_STEPS ? 'to start the server' : 'to stop the server')
}

/** Short enough for a test, long enough that the time-out says something about the guardian, not about the machine. */
const PATIENCE_MS = 3_000

/**
 * A client whose guardian stands still in `step` before the client's patience ends. Where the machine is too busy for that the client says
 * something else, which is as right: then it is tried with twice the patience.
 */
async function stoppedInTime(driver: Driver, step: keyof typeof START_STEPS) {
  for (let patienceMs = PATIENCE_MS; patienceMs <= 16 * PATIENCE_MS; patienceMs *= 2) {
    const dir = serviceDir()
    const stops = new Stops()
    stops.arm(step)
    const client = stops.clientsOf(driver)(dir, { timeoutMs: patienceMs })
    // The client's time begins after ours.
    const pid = await stops.reachedWithin(patienceMs, step)
    if (pid !== undefined) return { dir, client, pid }
    await killed(client)
  }
  throw new Error(`no guardian came to '${step}' within ${16 * PATIENCE_MS} ms`)
}

describe.each(DRIVERS)('a guardian that is stopped (SIGSTOP) in each of its steps (%s)', (driver) => {
  const start = clientsOf(driver)

  describe('while it starts the server', () => {
    test.each(shareOf(starting, driver, DRIVERS))(
      'at %s (%s): nobody hangs beyond its time-out, and all is well after SIGCONT',
      async (step) => {
        const dir = serviceDir()
        const stops = new Stops()
        stops.arm(step)
        const client = stops.clientsOf(driver)(dir)
        const pid = await stops.reached(step)
        const impatient = start(dir, { timeoutMs: PATIENCE_MS })
        await expect(connected(impatient)).rejects.toThrow(waitedFor(pid, step))
        process.kill(pid, 'SIGCONT')
        const { guardianPid, port } = await connected(client)
        expect(guardianPid).toBe(pid)
        await wroteRow(client)
        await killed(client)
        await stopped(dir, port)
      },
    )

    test.each(shareOf(starting, driver, DRIVERS, 1))(
      'at %s (%s): its own client does not hang beyond its time-out either',
      async (step) => {
        const { dir, client, pid } = await stoppedInTime(driver, step)
        await expect(connected(client)).rejects.toThrow(waitedFor(pid, step))
        process.kill(pid, 'SIGCONT')
        await nothingIsLeft(dir)
      },
    )
  })

  describe('while it stops the server', () => {
    test.each(shareOf(stopping, driver, DRIVERS))(
      'at %s (%s): nobody hangs beyond its time-out, and all is well after SIGCONT',
      async (step) => {
        const dir = serviceDir()
        const { pid } = await stoppedAt(driver, dir, step)
        const impatient = start(dir, { timeoutMs: PATIENCE_MS })
        await expect(connected(impatient)).rejects.toThrow(waitedFor(pid, step))
        await impatient.exited
        const next = start(dir)
        await next.event('progress')
        process.kill(pid, 'SIGCONT')
        // Before the proof it still sees the client that has come; after it, the next guardian starts the next epoch.
        const { epoch } = await connected(next)
        expect(epoch).toBe(step === 'draining' ? 1 : 2)
        expect(await counted(next)).toBe(1)
      },
    )
  })
})
