import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { atEnd, freshDir, startProgram } from '@procref/testing'
import { expect, onTestFinished, test } from 'vitest'
import { PASSWORD, startEmbedded, USER } from '../../embedded/test/server.ts'
import { type ConnectOptions, connect, external } from '../dist/index.js'

const PROCREF = fileURLToPath(new URL('../bin/procref.js', import.meta.url))

async function procref(...args: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = atEnd(startProgram(process.execPath, { args: [PROCREF, ...args], env: { NO_COLOR: '1' } }))
  const { code } = await child.exited
  return { code, stdout: child.stdout(), stderr: child.stderr() }
}

async function driverElsewhere() {
  const server = atEnd(await startEmbedded())
  return external({ url: `ws://127.0.0.1:${server.port}`, credentials: { user: USER, password: PASSWORD } })
}

test('connect() to a server elsewhere finds the backend by itself and takes the slots of config.json; nothing is started', async () => {
  const dir = `${freshDir()}/service`
  mkdirSync(dir, { mode: 0o700 })
  writeFileSync(`${dir}/config.json`, '{"slots":1,"port":8000,"lingerMs":1,"storage":"memory"}')
  const driver = await driverElsewhere()
  const lease = await connect({ dir, driver })
  onTestFinished(() => lease.close())
  expect([lease.server.external, lease.server.url]).toEqual([true, driver.url])
  expect(await lease.db.query('RETURN 1 + 1')).toEqual([2])
  expect(readdirSync(dir).sort()).toEqual(['config.json', 'external'])
  await expect(connect({ dir, driver })).rejects.toMatchObject({ code: 'PROCREF_SLOTS_EXHAUSTED' })
})

test('a storage, which is for whoever runs the server to choose, is refused', async () => {
  const options = {
    dir: freshDir(),
    driver: external({ url: 'ws://127.0.0.1', credentials: { token: 'a' } }),
    storage: 'memory',
  }
  await expect(connect(options as unknown as ConnectOptions)).rejects.toThrow(/^storage: /)
})

test('status and ps show who uses a server elsewhere, and for which; stop, why and url are about the server of this machine', async () => {
  const dir = `${freshDir()}/service`
  const driver = await driverElsewhere()
  const lease = await connect({ dir, driver, label: 'the shop' })
  onTestFinished(() => lease.close())
  const status = await procref('status', '--dir', dir)
  expect(status).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^stopped .*1 of 100 slots in use for servers elsewhere/s),
  })
  expect(JSON.parse((await procref('status', '--dir', dir, '--json')).stdout)).toMatchObject({
    state: 'stopped',
    users: 0,
    server: null,
    external: { slots: 100, holders: [{ slot: lease.slot.id, pid: process.pid, label: `the shop (${driver.url})` }] },
  })
  expect(await procref('ps', '--dir', dir)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`the shop (${driver.url})`),
  })
  expect(await procref('why', '--dir', dir)).toMatchObject({ code: 0 })
  expect(await procref('stop', '--dir', dir)).toMatchObject({ code: 0, stdout: 'stopped\n' })
  expect(await procref('url', '--dir', dir)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('No server is up'),
  })
  expect(await procref('doctor', '--dir', dir)).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^ok +holders .*; for servers elsewhere: 1 of 100: .*the shop/m),
  })
  expect(await lease.db.query('RETURN 1 + 1')).toEqual([2])
  expect(readdirSync(dir)).toEqual(['external'])
})
