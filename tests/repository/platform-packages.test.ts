import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
// Not part of the public interface.
import { PUBLISHED_PLATFORMS } from '../../packages/native/dist/platform.js'
import { root } from './workspace.ts'

const native = join(root, 'packages/native')
const manifest = JSON.parse(readFileSync(join(native, 'package.json'), 'utf8')) as {
  readonly version: string
  readonly napi: { readonly targets: readonly string[] }
  readonly optionalDependencies: Readonly<Record<string, string>>
}
const folders = readdirSync(join(native, 'npm')).sort()

test('the packages with native code are what the list of targets makes of them', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(native, 'platforms.mjs'), '--check'], {
    encoding: 'utf8',
  })
  expect(stderr).toBe('')
  expect(status).toBe(0)
  expect(folders).toHaveLength(manifest.napi.targets.length)
})

test('the loader knows exactly the platforms that are published', () => {
  expect([...PUBLISHED_PLATFORMS].sort()).toEqual(folders)
  expect(Object.keys(manifest.optionalDependencies)).toEqual(folders.map((folder) => `@procref/native-${folder}`))
})

test('they have the version of the package that loads them, and a release changes all of them together', () => {
  for (const folder of folders) {
    const { name, version } = JSON.parse(readFileSync(join(native, 'npm', folder, 'package.json'), 'utf8'))
    expect(version, name).toBe(manifest.version)
  }
  const { fixed } = JSON.parse(readFileSync(join(root, '.changeset/config.json'), 'utf8'))
  expect(fixed).toContainEqual(['@procref/native', '@procref/native-*'])
})

test('the workflows build and test exactly these targets', () => {
  const release = readFileSync(join(root, '.github/workflows/release.yml'), 'utf8')
  const built = [...release.matchAll(/^\s+- target: (\S+)$/gm)].map(([, target]) => target)
  expect(built.sort()).toEqual([...manifest.napi.targets].sort())
})
