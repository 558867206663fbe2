import { fileURLToPath } from 'node:url'
import { atEnd, type Child, eventually, freeze, isAlive, startProgram, surrealBinary } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import {
  type Connected,
  clientsOf,
  connected,
  journalOf,
  killed,
  nothingIsLeft,
  type StartClient,
  serviceDir,
  stateOf,
  stopped,
  stoppedGuardianNamed,
} from './service.ts'
import { Stops } from './stops.ts'

const PROCREF = fileURLToPath(new URL('../../packages/procref/bin/procref.js', import.meta.url))

/** Two unanswered questions, one a beat of 5 s, and time for a busy machine. */
const SEEN_MS = 60_000

async function whenState(dir: string, state: string): Promise<void> {
  await eventually(`the state is ${state}`, () => stateOf(dir).state === state, SEEN_MS)
}

async function procref(...args: readonly string[]): Promise<string> {
  const child = atEnd(startProgram(process.execPath, { args: [PROCREF, ...args], env: { NO_COLOR: '1' } }))
  expect(await child.exited).toEqual({ code: 0, signal: null })
  return child.stdout()
}

/** What a client that comes now is told after 3 s. */
function refusal(startClient: ReturnType<typeof clientsOf>, dir: string): Promise<Connected> {
  return connected(startClient(dir, { timeoutMs: 3_000 }))
}

describe.runIf(surrealBinary() !== undefined)('a server that hangs (SIGSTOP)', () => {
  const startClient = clientsOf('binary')

  /** A client, and its server hung and known to be. */
  async function hung(start: StartClient = startClient): Promise<Connected & { dir: string; client: Child }> {
    const dir = serviceDir()
    const client = start(dir)
    const facts = await connected(client)
    await freeze(facts.serverPid)
    await whenState(dir, 'unresponsive')
    return { ...facts, dir, client }
  }

  test('is called unresponsive, is never ended for that, and serves the same clients as soon as it goes on', async () => {
    const { dir, client, serverPid, epoch } = await hung()
    // No wait: the line is written before the state.
    expect(journalOf(dir).at(-1)).toMatchObject({
      event: 'server-unresponsive',
      reason: 'no-answer',
      evidence: { pid: serverPid, process: 'T (stopped)', seen: expect.stringContaining('T (stopped)') },
    })

    await expect(refusal(startClient, dir)).rejects.toThrow(
      new RegExp(
        `PROCREF_CONNECT_TIMEOUT.*/rpc \\(no answer in time\\), whose server \\(pid ${serverPid}\\) does not answer.* is stopped \\(SIGSTOP\\).*kill -CONT ${serverPid}`,
        's',
      ),
    )

    const status = JSON.parse(await procref('status', '--dir', dir, '--json'))
    expect(status).toMatchObject({ state: 'unresponsive', server: { pid: serverPid, processState: 'T (stopped)' } })
    for (const command of ['status', 'ps']) {
      const text = await procref(command, '--dir', dir)
      expect(text).toContain(`the server (pid ${serverPid}) does not answer; it is not ended for that`)
      expect(text).toContain(`kill -CONT ${serverPid}`)
    }
    expect(await procref('why', '--dir', dir)).toMatch(/server-unresponsive\s+no-answer/)

    process.kill(serverPid, 'SIGCONT')
    await whenState(dir, 'serving')
    expect(stateOf(dir)).toMatchObject({ epoch, server: { pid: serverPid } })
    client.send('count')
    await client.event('counted')
    expect(await connected(startClient(dir))).toMatchObject({ epoch, serverPid })
    const events = journalOf(dir).map((e) => `${e.event} ${e.reason}`)
    expect(events.slice(-2)).toEqual(['server-unresponsive no-answer', 'server-serving answers-again'])
    expect(client.stdout()).not.toContain('"lost"')
  })

  test('is ended in the ordinary way once nobody holds a slot', async () => {
    const { dir, client, serverPid, port } = await hung()
    await killed(client)
    await stopped(dir, port)
    expect(isAlive(serverPid)).toBe(false)
    await nothingIsLeft(dir)
  })

  test('is unresponsive still when a stop was begun and somebody had come meanwhile', async () => {
    const stops = new Stops()
    const { dir, client } = await hung(stops.clientsOf('binary'))
    // guardian: the slots are empty, writes `draining`; B claims; guardian: looks at the slots, finds B, goes back.
    stops.arm('draining')
    await killed(client)
    const guardianPid = await stops.reached('draining')
    expect(stateOf(dir).state).toBe('draining')
    const b = startClient(dir)
    await b.event('progress')
    process.kill(guardianPid, 'SIGCONT')
    await eventually('the guardian has gone back', () => stateOf(dir).state !== 'draining')
    expect(stateOf(dir).state).toBe('unresponsive')
    await killed(b)
  })

  test('a guardian that is stopped while it stops the server is named, with what lets it go on', async () => {
    const dir = serviceDir()
    const client = startClient(dir)
    const { guardianPid, serverPid, port } = await connected(client)
    // A hung server makes the state last: TERM, 10 s, TERM, 5 s, KILL.
    await freeze(serverPid)
    await killed(client)
    await whenState(dir, 'stopping')
    await freeze(guardianPid)
    await expect(refusal(startClient, dir)).rejects.toThrow(stoppedGuardianNamed(guardianPid, 'to stop the server'))
    expect(await procref('status', '--dir', dir)).toContain(`kill -CONT ${guardianPid}`)
    process.kill(guardianPid, 'SIGCONT')
    await stopped(dir, port)
  })
})
