import { text } from 'node:stream/consumers'
import { embeddedSurreal } from '@procref/embedded'
import { flock } from '@procref/flock'
import { connectHttp, layout, requestStop, type SurrealHttp, surrealBinary } from '@procref/lifecycle'
import {
  atEnd,
  eventually,
  freeze,
  mustBlock,
  staysTrue,
  surrealBinary as testBinary,
  testsInTurn,
  whoListensOn,
} from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { DRIVERS, type Driver, serviceDir, startStranger } from './service.ts'

/** Several rounds of whoever waits for a server. */
const SOME_ROUNDS_MS = 1_000

async function connected(dir: string, driver: Driver): Promise<SurrealHttp> {
  const backend = flock()
  return atEnd(
    await connectHttp({
      dir,
      backend,
      driver: driver === 'embedded' ? embeddedSurreal() : surrealBinary(),
      lingerMs: 500,
    }),
  )
}

async function sql(http: SurrealHttp, body: string): Promise<string> {
  const answer = await http.request({ method: 'POST', path: '/sql', headers: { accept: 'application/json' }, body })
  return await text(answer)
}

describe.runIf(testBinary() !== undefined)('HTTP to a lease’s server (surreal executable)', () => {
  test('that is being replaced waits for the next one, and a stranger on its port gets no byte', async () => {
    const dir = serviceDir()
    const http = await connected(dir, 'binary')
    expect(await sql(http, 'RETURN 40 + 2')).toContain('"result":42')
    const { pid, guardianPid, port } = http.lease.server
    await freeze(guardianPid)
    process.kill(pid, 'SIGKILL')
    await eventually('its port is free', () => whoListensOn(port).length === 0)
    const stranger = await startStranger(port)
    // The record says that a server serves at this port, and its guardian lives.
    const ends = await mustBlock('the request', sql(http, 'RETURN 6 * 7'))
    await staysTrue(SOME_ROUNDS_MS, () => expect(stranger.heard()).toBe(''))
    process.kill(guardianPid, 'SIGCONT')
    expect(await ends()).toContain('"result":42')
    expect(stranger.heard()).toBe('')
    expect(http.lease.server.port).not.toBe(port)
  })
})

describe.runIf(testBinary() !== undefined)('HTTP to a server that hangs (SIGSTOP)', () => {
  test('is refused within the time-out, with what it was waiting for, and the slot is given back', async () => {
    const dir = serviceDir()
    const http = await connected(dir, 'binary')
    const { pid } = http.lease.server
    await freeze(pid)
    const pool = await flock().open(layout(dir).slots)
    try {
      await expect(
        connectHttp({ dir, backend: flock(), driver: surrealBinary(), timeoutMs: 10_000 }),
      ).rejects.toMatchObject({
        code: 'PROCREF_CONNECT_TIMEOUT',
        message: expect.stringContaining('http://127.0.0.1:'),
      })
      expect(await pool.count()).toBe(1)
    } finally {
      await pool.close()
      process.kill(pid, 'SIGCONT')
    }
    expect(await sql(http, 'RETURN 6 * 7')).toContain('"result":42')
  })
})

describe.each(DRIVERS)('HTTP to a lease’s server (%s)', (driver) => {
  const testInTurn = testsInTurn(test, driver, DRIVERS)

  testInTurn(
    'that is stopped on request: what is under way breaks off, and what comes then is refused with that reason',
    async () => {
      const dir = serviceDir()
      const http = await connected(dir, driver)
      const ends = await mustBlock('a long query', sql(http, 'RETURN sleep(60s)'))
      const broken = expect(ends()).rejects.toThrow()
      await requestStop(dir, flock(), { when: 'always' })
      await broken
      await expect(sql(http, 'RETURN 1')).rejects.toMatchObject({ code: 'PROCREF_STOPPED_ON_REQUEST' })
    },
  )

  testInTurn('who would wait for ever has a lease as soon as the server answers', async () => {
    const options = { driver: driver === 'embedded' ? embeddedSurreal() : surrealBinary(), lingerMs: 500 }
    const http = await connectHttp({
      dir: serviceDir(),
      backend: flock(),
      ...options,
      timeoutMs: Number.POSITIVE_INFINITY,
    })
    expect(await sql(atEnd(http), 'RETURN 6 * 7')).toContain('"result":42')
  })

  testInTurn('a request that is told to end does, and the next one is answered', async () => {
    const http = await connected(serviceDir(), driver)
    const told = new AbortController()
    const asked = http.request({ method: 'POST', path: '/sql', body: 'RETURN sleep(60s)', signal: told.signal })
    const ends = await mustBlock('a long query', asked)
    told.abort(new Error('enough'))
    await expect(ends()).rejects.toThrow('enough')
    expect(await sql(http, 'RETURN 6 * 7')).toContain('"result":42')
  })
})
