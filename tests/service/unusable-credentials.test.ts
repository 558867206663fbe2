import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { layout } from '@procref/lifecycle'
import { describe, expect, test } from 'vitest'
import { clientsOf, connected, DRIVERS, serviceDir } from './service.ts'

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

describe.each(DRIVERS)('credentials of a server that is up (%s)', (driver) => {
  test.each(Object.entries(SPOILT))('%s: a client is told at once, and what to do', async (_what, spoilt) => {
    const dir = serviceDir()
    const start = clientsOf(driver)
    await connected(start(dir))
    const path = layout(dir).credentialsJson
    const good = readFileSync(path, 'utf8')
    spoilt.spoil(path)

    const { code, stack } = await start(dir, { timeoutMs: TIMEOUT_MS }).event<{ code?: string; stack: string }>(
      'failed',
    )
    expect({ code, stack }).toMatchObject({ code: spoilt.code, stack: expect.stringContaining(spoilt.told) })
    expect(stack).toContain(dir)

    rmSync(path, { force: true })
    writeFileSync(path, good, { mode: 0o600 })
    await connected(start(dir, { timeoutMs: TIMEOUT_MS }))
  })
})
