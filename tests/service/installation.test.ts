import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { startProgram } from '@procref/testing'
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
  // As the guardian, which was launched by that client's code, was told: where to load its backend and driver from.
  const dir = serviceDir()
  await connected(clientsOfInstallation(installation)(dir, { driver: 'embedded' }))
  const { backend, driver } = JSON.parse(readFileSync(join(dir, 'server.json'), 'utf8'))
  expect(driver.descriptor.module).toBe(`file://${folder}/packages/embedded/dist/index.js`)
  expect(backend.descriptor.module).toContain(`file://${folder}/packages/`)
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
