import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { atEnd, freshDir, startChild, startProgram } from '@procref/testing'
import { expect, test } from 'vitest'

const CHILD = fileURLToPath(new URL('./children/use-flock.mjs', import.meta.url))
const DIST = fileURLToPath(new URL('../dist', import.meta.url))
const CORE = fileURLToPath(new URL('../../core', import.meta.url))

/** A program's folder with @procref/flock and core in it, and fs-ext as `fsExt` says. */
function install(fsExt: 'missing' | 'not compiled'): string {
  const modules = join(freshDir(), 'node_modules')
  mkdirSync(join(modules, '@procref/flock'), { recursive: true })
  symlinkSync(CORE, join(modules, '@procref/core'))
  cpSync(DIST, join(modules, '@procref/flock/dist'), { recursive: true })
  const manifest = { name: '@procref/flock', type: 'module', exports: './dist/index.js' }
  writeFileSync(join(modules, '@procref/flock/package.json'), JSON.stringify(manifest))
  if (fsExt === 'not compiled') {
    mkdirSync(join(modules, 'fs-ext'))
    writeFileSync(join(modules, 'fs-ext/index.js'), "require('./build/Release/fs_ext.node')")
  }
  const program = join(modules, '..', 'program.mjs')
  cpSync(CHILD, program)
  return program
}

test.each(['missing', 'not compiled'] as const)(
  'where fs-ext is %s the package can be imported, says so in support(), and open() names what to install',
  async (fsExt) => {
    const dir = join(freshDir(), 'slots')
    // pnpm's shims put its whole store on NODE_PATH, fs-ext with it.
    await using child = startChild(install(fsExt), { args: [dir], env: { NODE_PATH: undefined } })
    const told = await child.event<{ support: unknown; code: string; message: string; made: boolean }>('done')
    expect(told.support).toMatchObject({ supported: false, reason: told.message })
    expect(told.code).toBe('PROCREF_BACKEND_UNAVAILABLE')
    expect(told.message).toMatch(/"flock".*fs-ext.*C\+\+ compiler.*npm rebuild fs-ext/)
    expect(told.made).toBe(false)
  },
)

test.runIf(process.platform === 'linux')(
  'without a descriptor to load it with it is not called missing, and is loaded later',
  async () => {
    const program = fileURLToPath(new URL('./children/without-descriptors.mjs', import.meta.url))
    const child = atEnd(startProgram('prlimit', { args: ['--nofile=100', process.execPath, program] }))
    expect(await child.event('refused')).toMatchObject({ code: 'PROCREF_TOO_MANY_OPEN_FILES' })
    expect(await child.event('loaded')).toMatchObject({ kind: 'function' })
  },
)
