import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { embeddedSurreal } from '@procref/embedded'
import { flock } from '@procref/flock'
import { connectHttp, layout, type ServerDriver, surrealBinary } from '@procref/lifecycle'
import { freeze, shareOf } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { clientsOf, connected, DRIVERS, type Driver, serviceDir } from './service.ts'

/** Whoever waits for that is not done within the test's time. */
const TIMEOUT_MS = 600_000

/** What somebody does to the file while the server is up, and what the next client is told. */
const SPOILT = {
  'that are missing': {
    spoil: (path: string) => rmSync(path),
    code: 'PROCREF_CREDENTIALS_MISSING',
    told: 'is missing',
  },
  'that others can read': {
    spoil: (path: string) => chmodSync(path, 0o644),
    code: 'PROCREF_STATE_FILE_UNSAFE',
    told: 'chmod 600',
  },
  'with another password': {
    spoil: (path: string) => writeFileSync(path, JSON.stringify({ user: 'procref', password: 'another' })),
    code: 'PROCREF_CREDENTIALS_REFUSED',
    told: 'Put back the credentials.json that belongs to it',
  },
} as const

function spoil(dir: string, spoilt: (typeof SPOILT)[keyof typeof SPOILT]): { restore(): void } {
  const path = layout(dir).credentialsJson
  const good = readFileSync(path, 'utf8')
  spoilt.spoil(path)
  return {
    restore() {
      rmSync(path, { force: true })
      writeFileSync(path, good, { mode: 0o600 })
    },
  }
}

describe.each(DRIVERS)('credentials of a server that is up (%s)', (driver) => {
  test.each(shareOf(Object.entries(SPOILT), driver, DRIVERS))(
    '%s: a client is told at once, and what to do',
    async (_what, spoilt) => {
      const dir = serviceDir()
      const start = clientsOf(driver)
      await connected(start(dir))
      const credentials = spoil(dir, spoilt)

      const { code, stack } = await start(dir, { timeoutMs: TIMEOUT_MS }).event<{ code?: string; stack: string }>(
        'failed',
      )
      expect({ code, stack }).toMatchObject({ code: spoilt.code, stack: expect.stringContaining(spoilt.told) })
      expect(stack).toContain(dir)
      const http = connectHttp({ dir, backend: flock(), driver: serverOf(driver), timeoutMs: TIMEOUT_MS })
      await expect(http).rejects.toMatchObject({ code: spoilt.code, message: expect.stringContaining(spoilt.told) })

      credentials.restore()
      await connected(start(dir, { timeoutMs: TIMEOUT_MS }))
    },
  )

  // the administrator is removed │ A stands still │ the server dies, the next one makes him anew and knows no token of A │ the credentials are
  // spoilt │ A goes on: dials, and would sign in
  const LATER = Object.entries(SPOILT).filter(([, { code }]) => code !== 'PROCREF_CREDENTIALS_REFUSED')
  test.each(shareOf(LATER, driver, DRIVERS, 1))(
    '%s: a lease that has to be connected again is lost, and its user told why',
    async (_what, spoilt) => {
      const dir = serviceDir()
      const start = clientsOf(driver)
      const [a, b] = [start(dir), start(dir)]
      const { serverPid } = await connected(a)
      await connected(b)
      const http = await connectHttp({ dir, backend: flock(), driver: serverOf(driver) })
      const removal = { method: 'POST', path: '/sql', body: 'REMOVE USER procref ON ROOT' } as const
      const answer = await http.request({ ...removal, headers: { accept: 'application/json' } })
      expect(await text(answer)).toContain('"status":"OK"')
      await http.close()
      await freeze(a.pid)
      process.kill(serverPid, 'SIGKILL')
      await b.event('reconnected')
      spoil(dir, spoilt)
      process.kill(a.pid, 'SIGCONT')
      expect(await a.event('lost')).toMatchObject({ code: spoilt.code, text: expect.stringContaining(spoilt.told) })
    },
  )
})

function serverOf(driver: Driver): ServerDriver {
  return driver === 'embedded' ? embeddedSurreal() : surrealBinary()
}
