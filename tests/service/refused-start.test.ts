import { existsSync, writeFileSync } from 'node:fs'
import { freshDir, surrealBinary } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { CRASH_LOOP_OF_TEN_MINUTES, copyOfInstallation } from './installation.ts'
import { done, PROCREF, procrefOf } from './restarts.ts'
import { connected, counted, journalOf, nothingIsLeft, serviceDir, startClient, wroteRow } from './service.ts'
import { clientsOfInstallation } from './versions.ts'

/** As a server says it. */
const REFUSALS = [
  ['Too many open files (os error 24)', 'PROCREF_TOO_MANY_OPEN_FILES'],
  ['IO error: No space left on device: While appending to file: 000004.log', 'PROCREF_DISK_FULL'],
] as const

/** The real server, but that the system refuses it something at its next start when that was asked for: it says so, and ends. */
function refusedOnce(words: string): {
  readonly env: Readonly<Record<string, string>>
  refuse(): void
  refuses(): boolean
} {
  const folder = freshDir()
  const [program, sign] = [`${folder}/surreal`, `${folder}/refuse`]
  const refusal = `rm ${sign}; echo '2026-01-01T00:00:00.000000Z ERROR surrealdb_server::cli: ${words}' >&2; exit 1`
  const script = `#!/bin/sh\nif [ "$1" = start ] && [ -e ${sign} ]; then ${refusal}; fi\nexec '${surrealBinary()}' "$@"\n`
  writeFileSync(program, script, { mode: 0o755 })
  return {
    env: { PROCREF_SURREAL_BIN: program },
    refuse: () => writeFileSync(sign, ''),
    refuses: () => existsSync(sign),
  }
}

describe.runIf(surrealBinary() !== undefined)('a server that the system refuses something as it starts', () => {
  test.each(REFUSALS)('“%s”: the first start is refused as %s', async (words, code) => {
    const surreal = refusedOnce(words)
    surreal.refuse()
    const client = startClient(serviceDir(), {}, surreal.env)
    await client.exited
    expect(client.stdout()).toContain(`"code":"${code}"`)
  })

  test.each(REFUSALS)('“%s”: one that comes back for its leases is started again', async (words, code) => {
    const surreal = refusedOnce(words)
    const dir = serviceDir()
    const client = startClient(dir, {}, surreal.env)
    const { serverPid } = await connected(client)
    await wroteRow(client)
    surreal.refuse()
    process.kill(serverPid, 'SIGKILL')
    await client.event('reconnected')
    expect(surreal.refuses()).toBe(false)
    await wroteRow(client)
    expect(await counted(client)).toBe(2)
    expect(client.stdout()).not.toContain('"lost"')
    expect(journalOf(dir)).toContainEqual(
      expect.objectContaining({ reason: 'start-failed', evidence: expect.objectContaining({ code }) }),
    )
    client.send('close')
    await nothingIsLeft(dir)
  })

  test.each(REFUSALS)(
    '“%s”: one that is restarted on request is started again, and no lease is lost',
    async (words) => {
      const surreal = refusedOnce(words)
      const dir = serviceDir()
      const client = startClient(dir, {}, surreal.env)
      await connected(client)
      await wroteRow(client)
      surreal.refuse()
      const command = procrefOf(PROCREF, surreal.env)(dir)
      expect(await done(command)).toMatchObject({ restarted: true, state: 'serving' })
      expect(surreal.refuses()).toBe(false)
      await client.event('reconnected')
      expect(await counted(client)).toBe(1)
      expect(client.stdout()).not.toContain('"lost"')
      client.send('close')
      await nothingIsLeft(dir)
    },
  )
})

test('an engine in the guardian to which the system refuses something once it is open is started again for its leases, by another guardian', async () => {
  const dir = serviceDir()
  const sign = `${freshDir()}/refuse`
  const client = startClient(dir, { driver: 'hindered', sign })
  const { guardianPid } = await connected(client)
  await wroteRow(client)
  writeFileSync(sign, '')
  process.kill(guardianPid, 'SIGKILL')
  await client.event('reconnected')
  expect(existsSync(sign)).toBe(false)
  await wroteRow(client)
  expect(await counted(client)).toBe(2)
  expect(client.stdout()).not.toContain('"lost"')
  expect(journalOf(dir)).toContainEqual(
    expect.objectContaining({
      reason: 'start-failed',
      evidence: expect.objectContaining({ code: 'PROCREF_DISK_FULL' }),
    }),
  )
  client.send('close')
  await nothingIsLeft(dir)
})

test('a server that is given up because the system refuses it something again and again: its leases are told what', {
  timeout: 240_000,
}, async () => {
  // Five starts within 60 s are too many. On a busy machine they take longer.
  const installation = copyOfInstallation('tests/service/children')
  installation.replace(CRASH_LOOP_OF_TEN_MINUTES)
  const dir = serviceDir()
  const sign = `${freshDir()}/refuse`
  const client = clientsOfInstallation(installation)(dir, { driver: 'withoutData', sign })
  const { guardianPid } = await connected(client)
  writeFileSync(sign, '')
  process.kill(guardianPid, 'SIGKILL')
  // Four more starts, 5 s after each of them.
  const { code, text } = await client.event<{ code: string; text: string }>('lost', 120_000)
  expect(code).toBe('PROCREF_CRASH_LOOP')
  expect(text).toContain(`${dir}/data/db (EIO)`)
  client.send('close')
  await nothingIsLeft(dir)
})
