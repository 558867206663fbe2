import { existsSync, lstatSync, readdirSync, realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { commandLine, startProgram } from '@procref/testing'
import { expect, test } from 'vitest'
import { copyOfInstallation } from './installation.ts'
import { procrefOf } from './restarts.ts'
import { connected, serviceDir } from './service.ts'
import { clientsOfInstallation } from './versions.ts'

const ROOT = resolve(import.meta.dirname, '../..')

test('every package of a copy is the copy’s own, and what it starts is made of nothing of ours', async () => {
  const installation = copyOfInstallation('tests/service/children')
  const { folder } = installation
  const packages = readdirSync(join(folder, 'packages'))
  expect(packages).toEqual(readdirSync(join(ROOT, 'packages')))
  for (const name of readdirSync(join(folder, 'node_modules/@procref'))) {
    expect(realpathSync(join(folder, 'node_modules/@procref', name))).toBe(realpathSync(join(folder, 'packages', name)))
    expect(existsSync(join(folder, 'packages', name, 'node_modules/@procref'))).toBe(false)
    expect(lstatSync(join(folder, 'packages', name, 'dist')).isDirectory()).toBe(true)
  }
  // What the guardian is told: its program, and the modules of backend and driver.
  const client = clientsOfInstallation(installation)(serviceDir(), { driver: 'embedded' })
  const { guardianPid } = await connected(client)
  const told = commandLine(guardianPid).join(' ')
  expect(told).toContain(`${folder}/packages/lifecycle/dist/guardian/main.js`)
  expect(told).not.toContain(ROOT)
})

test('a change to a package of a copy is a change to its clients and its command, and to nobody else’s', async () => {
  const installation = copyOfInstallation('tests/service/children')
  installation.replace({
    package: 'core',
    file: 'dist/index.js',
    text: /^/,
    by: "process.stderr.write('changed core');",
  })
  const client = clientsOfInstallation(installation)(serviceDir(), { driver: 'embedded' })
  await connected(client)
  expect(client.stderr()).toContain('changed core')
  const command = procrefOf(installation.procref)(serviceDir(), 'status')
  await command.exited
  expect(command.stderr()).toContain('changed core')
  const ours = startProgram(process.execPath, { args: [join(ROOT, 'packages/procref/bin/procref.js'), '--version'] })
  await ours.exited
  expect(ours.stderr()).not.toContain('changed core')
})
