import { chmodSync, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { eventually, freshDir, isAlive } from '@procref/testing'
import { expect, test } from 'vitest'
import { killTogether } from '../../../tests/service/service.ts'
// Not part of the public interface.
import { KNOWN_BACKENDS } from '../dist/backends.js'
import { resolveBackend } from '../dist/choose-backend.js'
import {
  alarms,
  describeTree,
  doctor,
  doctorCommand,
  finish,
  keepUp,
  makeService,
  procref,
  ROWS,
  readRows,
  servedDir,
  serviceDir,
  slotsOnlyDir,
} from './doctor-directory.ts'

test('a directory that does not exist is healthy, and is not made', async () => {
  const dir = join(freshDir(), 'not-there')
  const report = await doctor(dir)
  expect(report).toMatchObject({ dir, healthy: true, mended: [], left: [] })
  expect(report.notLookedAt).toContain('guardian')
  await doctor(dir, { fix: true })
  expect(existsSync(dir)).toBe(false)
})

test('a directory whose slots were used, and that never had a server, gives no alarm', async () => {
  expect(await alarms(await doctor(await slotsOnlyDir()))).toEqual([])
})

test('slots that were moved to another backend, twice, give no alarm; a fault in the new folder is found', async () => {
  const dir = await slotsOnlyDir()
  await finish(procref(['migrate', '--to', 'lockfile', '--dir', dir]))
  await finish(procref(['migrate', '--to', 'flock', '--dir', dir]))
  await finish(procref(['slot', 'try', '--dir', dir]))
  expect(await alarms(await doctor(dir))).toEqual([])
  const [slot = ''] = readdirSync(join(dir, 'slots/generation-3')).filter((name) => name.endsWith('.lock'))
  chmodSync(join(dir, 'slots/generation-3', slot), 0o666)
  expect(await alarms(await doctor(dir))).toEqual([expect.stringMatching(/^slots/)])
})

test('a service gives no alarm while it serves, and its holder is named', async () => {
  const dir = serviceDir()
  const { keeperPid, guardianPid } = await keepUp(dir)
  const report = await doctor(dir)
  expect(await alarms(report)).toEqual([])
  const found = (id: string) => report.checks.find((check) => check.id === id)?.found
  expect(found('holders')).toContain(`pid ${keeperPid}`)
  expect(found('guardian')).toContain(`process ${guardianPid}`)
  expect(report.notLookedAt).toEqual([])
})

test.each(KNOWN_BACKENDS.map(({ name }) => name))(
  'on %s: no alarm while it serves, none after it was killed',
  async (name) => {
    const backend = await resolveBackend(name, join(freshDir(), 'slots'))
    const support = await backend.support(join(freshDir(), 'slots'))
    if (!support.supported) return expect(support.reason).not.toBe('')
    const dir = serviceDir()
    const { keeperPid, guardianPid, serverPid } = await keepUp(dir, '--backend', name, '--linger', '10m')
    expect(await alarms(await doctor(dir))).toEqual([])
    await killAll(keeperPid, guardianPid, serverPid)
    const report = await doctor(dir, { fix: true })
    expect(report.findings.filter(({ severity }) => severity !== 'note')).toEqual([])
    expect(report.left).toEqual([])
  },
)

test('a service that was stopped in order gives no alarm', async () => {
  const dir = serviceDir()
  await makeService(dir)
  expect(await alarms(await doctor(dir))).toEqual([])
})

test('a service of which everything was killed gives notes, no alarm; --fix removes what was left, and it starts again with its rows', async () => {
  const dir = serviceDir()
  await makeService(dir)
  // The keeper is killed first: without it the guardian would soon stop in order.
  const { guardianPid, serverPid, keeperPid } = await keepUp(dir, '--linger', '10m')
  await killAll(keeperPid, guardianPid, serverPid)
  const report = await doctor(dir)
  expect(report.healthy).toBe(true)
  expect(report.findings.map(({ severity }) => severity)).not.toContain('warning')
  expect(await alarms(report)).toEqual(['guardian/guardian-killed', 'leftovers/temporary-file'])
  expect(await alarms(await doctor(dir, { fix: true }))).toEqual(['guardian/guardian-killed'])
  expect(await readRows(dir)).toEqual(ROWS)
})

test('a look changes nothing', async () => {
  const dir = await servedDir()
  const before = describeTree(dir)
  await doctor(dir)
  expect(describeTree(dir)).toEqual(before)
})

test('the command prints one line a check, and the verdict', async () => {
  const dir = await servedDir()
  const report = await doctorCommand(dir)
  const { code, stdout } = await finish(procref(['doctor', '--dir', dir]))
  expect(code).toBe(0)
  const lines = stdout.trim().split('\n')
  expect(lines.filter((line) => /^ok\b/.test(line)).length).toBe(
    report.checks.filter(({ severity }) => severity === 'ok').length,
  )
  expect(lines.at(-1)).toMatch(new RegExp(`^healthy {2}${dir}`))
})

test('the command exits with 1 while there is a problem, and with 0 once --fix has mended all', async () => {
  const dir = await servedDir()
  chmodSync(dir, 0o777)
  expect(await doctorCommand(dir)).toMatchObject({ healthy: false })
  expect(await doctorCommand(dir, { args: ['--fix'] })).toMatchObject({
    healthy: true,
    mended: [{ check: 'directory' }],
  })
  expect(await finish(procref(['doctor', '--dir', dir, '--mend']))).toMatchObject({ code: 2, stdout: '' })
})

async function killAll(...pids: readonly number[]): Promise<void> {
  // With the embedded engine two of them are one; a server dies with its guardian.
  killTogether(...new Set(pids))
  await eventually('all are gone', () => !pids.some(isAlive))
}
