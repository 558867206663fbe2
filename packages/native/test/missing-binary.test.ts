import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { atEnd, freshDir, startChild, startProgram } from '@procref/testing'
import { expect, test } from 'vitest'
import { describeNative } from './native-built.ts'

const CHILD = fileURLToPath(new URL('./children/use-native.mjs', import.meta.url))
const DIST = fileURLToPath(new URL('../dist', import.meta.url))
const CORE = fileURLToPath(new URL('../../core', import.meta.url))

/** A program's folder with @procref/native and core in it; returns the folder of @procref/native. */
function install(): string {
  const modules = join(freshDir(), 'node_modules')
  const folder = join(modules, '@procref/native')
  mkdirSync(folder, { recursive: true })
  symlinkSync(CORE, join(modules, '@procref/core'))
  cpSync(DIST, join(folder, 'dist'), { recursive: true })
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: '@procref/native', type: 'module', exports: './dist/index.js' }),
  )
  return folder
}

interface Told {
  readonly support: unknown
  readonly code: string
  readonly message: string
  readonly made: boolean
}

/** `as` is set before anything is loaded, so that the program believes to be on that machine. */
async function use(folder: string, as: { readonly platform?: string; readonly arch?: string } = {}): Promise<Told> {
  const program = join(folder, '../../../program.mjs')
  cpSync(CHILD, program)
  const disguise = Object.entries(as).map(
    ([key, value]) => `Object.defineProperty(process, '${key}', { value: '${value}' })`,
  )
  writeFileSync(join(folder, 'disguise.mjs'), disguise.join('\n'))
  const dir = join(freshDir(), 'slots')
  await using child = startChild(program, {
    args: [dir],
    execArgv: ['--import', join(folder, 'disguise.mjs')],
    // pnpm's shims put its whole store on NODE_PATH.
    env: { NODE_PATH: undefined },
  })
  return await child.event<Told>('done')
}

test('where the platform package is not installed, the package to install is named, and what else there is', async () => {
  const told = await use(install(), { platform: 'linux', arch: 'arm64' })
  expect(told.support).toMatchObject({ supported: false, reason: told.message })
  expect(told.code).toBe('PROCREF_BACKEND_UNAVAILABLE')
  expect(told.message).toMatch(/"native".*@procref\/native-linux-arm64-(gnu|musl) .*not installed.*omit=optional/)
  expect(told.message).toMatch(/flock\(\) of @procref\/flock .*lockfile\(\) of @procref\/lockfile/)
  expect(told.made).toBe(false)
})

test('where there is no native code for the platform, that is said, and what else there is', async () => {
  const told = await use(install(), { platform: 'linux', arch: 'mips' })
  expect(told.message).toMatch(/there is no native code for linux-mips-.*flock\(\).*lockfile\(\)/)
})

test('in a checkout that was not built, the command that builds is named', async () => {
  const folder = install()
  writeFileSync(join(folder, 'Cargo.toml'), '')
  expect((await use(folder)).message).toMatch(/was not built in this checkout.*build:native.*cargo/)
})

test('native code that cannot be loaded is named with its path and the reason', async () => {
  const folder = install()
  for (const libc of ['gnu', 'musl']) writeFileSync(join(folder, `procref-native.linux-x64-${libc}.node`), 'rubbish')
  const told = await use(folder, { platform: 'linux', arch: 'x64' })
  expect(told.code).toBe('PROCREF_BACKEND_UNAVAILABLE')
  expect(told.message).toMatch(
    /procref-native\.linux-x64-(gnu|musl)\.node\) cannot be loaded: .*Install @procref\/native/,
  )
})

describeNative('that is there', () => {
  test.runIf(process.platform === 'linux')(
    'is not called missing where no descriptor is left to load it with, and is loaded later',
    async () => {
      const program = fileURLToPath(new URL('./children/without-descriptors.mjs', import.meta.url))
      const child = atEnd(startProgram('prlimit', { args: ['--nofile=100', process.execPath, program] }))
      expect(await child.event('refused')).toMatchObject({ spare: 0, code: 'PROCREF_TOO_MANY_OPEN_FILES' })
      expect(await child.event('loaded')).toMatchObject({ here: true })
    },
  )
})
