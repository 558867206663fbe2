import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { eventually, freeze, freshDir, isAlive, processState } from '@procref/testing'
import { onTestFinished } from 'vitest'
import { connected, type Driver, killed, type StartClient, startClient, wroteRow } from './service.ts'

/** What a guardian does until it serves. Each name is the step that it has NOT taken yet, or has just taken: see the words. */
export const START_STEPS = {
  elected: 'guardian.lock held, nothing else',
  alive: 'alive lock held, `starting` not written',
  'before-server-lock': '`starting` written, server.lock not held',
  'server-lock': 'server.lock held, port not written',
  launching: 'port written, server not spawned',
  spawned: 'server spawned, not recorded',
  recorded: 'server recorded, not ready',
  ready: 'server ready, `serving` not written',
} as const

/** What a guardian does after the last client has left. */
export const STOP_STEPS = {
  draining: '`draining` written, slots not probed',
  proven: 'slots proven empty, `stopping` not written',
  stopping: '`stopping` written, server not told',
  told: 'server told to stop',
  ended: 'server ended, `stopped` not written',
} as const

/** What a client does until it is connected. */
export const CLIENT_STEPS = {
  claimed: 'slot claimed, server.json not read',
  'start-lock': 'start.lock held, guardian not launched',
  looking: 'server.json read, alive lock not probed',
  verified: 'server found, not connected',
} as const

export type Step = keyof typeof START_STEPS | keyof typeof STOP_STEPS | keyof typeof CLIENT_STEPS | 'closing' | 'closed'

/**
 * Stops (SIGSTOP) the process that next comes to a step, in the very step. The processes it works in are those whose
 * backend and driver are those of `children/stops.mjs`: clients started by `clientsOf`, and the guardians they launch.
 *
 * The process waits in the step until it has been frozen from here, so that it runs again when this test run is killed.
 */
export class Stops {
  readonly dir: string = freshDir()

  /** As the test's other clients, but they and their guardians stop where armed. */
  clientsOf(driver: Driver): StartClient {
    return (dir, options = {}) => startClient(dir, { driver, stops: this.dir, ...options })
  }

  arm(step: Step): void {
    for (const before of ['pid', 'go']) rmSync(`${this.dir}/${step}.${before}`, { force: true })
    // Complete from the beginning: whoever finds it takes it away.
    writeFileSync(`${this.dir}/${step}.new`, String(process.pid))
    renameSync(`${this.dir}/${step}.new`, `${this.dir}/${step}.armed`)
  }

  /** The pid of the process that stands still in `step`. It is killed with the test, stopped or not. */
  async reached(step: Step): Promise<number> {
    const pid = await eventually(`a process comes to '${step}'`, () => this.#waitingIn(step))
    await this.#freezeIn(step, pid)
    return pid
  }

  /** As `reached`; undefined: nobody was there in time, and nobody will be stopped any more. */
  async reachedWithin(timeMs: number, step: Step): Promise<number | undefined> {
    const deadline = performance.now() + timeMs
    for (;;) {
      const pid = this.#waitingIn(step)
      if (pid !== undefined) await this.#freezeIn(step, pid)
      if (performance.now() >= deadline) break
      if (pid !== undefined) return pid
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    rmSync(`${this.dir}/${step}.armed`, { force: true })
    return undefined
  }

  #waitingIn(step: Step): number | undefined {
    const path = `${this.dir}/${step}.pid`
    const pid = existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0
    return pid > 0 ? pid : undefined
  }

  async #freezeIn(step: Step, pid: number): Promise<void> {
    await freeze(pid)
    writeFileSync(`${this.dir}/${step}.go`, '')
    const { startTicks } = processState(pid) ?? {}
    onTestFinished(() => {
      if (isAlive(pid) && processState(pid)?.startTicks === startTicks) process.kill(pid, 'SIGKILL')
    })
  }
}

/** A service whose guardian stands still in `step` with nobody else in it, and one row in its database; `port` is its server's. */
export async function stoppedAt(
  driver: Driver,
  dir: string,
  step: keyof typeof STOP_STEPS,
): Promise<{ readonly pid: number; readonly port: number }> {
  const stops = new Stops()
  const client = stops.clientsOf(driver)(dir)
  const { port } = await connected(client)
  await wroteRow(client)
  stops.arm(step)
  await killed(client)
  return { pid: await stops.reached(step), port }
}
