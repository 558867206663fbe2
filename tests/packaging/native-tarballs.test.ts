import { execFile, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
// Not part of the public interface.
import { platformName } from '../../packages/native/dist/platform.js'
import { type PublishedPackage, type Registry, startRegistry } from './registry.ts'

// @procref/native as a user gets it: the tarballs of core, of the loader and of every platform, published on a registry on loopback, in an
// empty project on a machine without Rust, by every package manager. Only the platform package of this machine has its native code in it;
// the others must never be unpacked.

const ROOT = resolve(import.meta.dirname, '../..')
const NATIVE = join(ROOT, 'packages/native')
const work = mkdtempSync(join(tmpdir(), 'procref-native-packaging-'))
const tarballs = join(work, 'tarballs')
const managers = join(work, 'managers')
const here = platformName()
const BINARY = `procref-native.${here}.node`
const MANAGERS = ['pnpm@12.21.0', 'yarn@1.22.22', '@yarnpkg/cli-dist@4.18.1', 'bun@1.4.5']
const PLATFORMS = readdirSync(join(NATIVE, 'npm')).map((platform) => `@procref/native-${platform}`)
let registry: Registry

/** Said and done is the same however it was loaded. */
const USE = `
  const pool = await native().open(process.argv[2], { slots: 2 })
  const slot = await pool.claim()
  console.log(JSON.stringify({ held: await pool.count(), slot: typeof slot.id }))
  await pool.close()`
const PROGRAMS = {
  'import.mjs': `import { native } from '@procref/native'; ${USE}`,
  'require.cjs': `const { native } = require('@procref/native'); (async () => { ${USE} })()`,
}

/** Where there is neither cargo nor rustc. */
const withoutRust = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((dir) => !existsSync(join(dir, 'cargo')) && !existsSync(join(dir, 'rustc')))
  .join(delimiter)

/** Not synchronous: the registry answers meanwhile. */
async function run(
  file: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = { PATH: withoutRust },
): Promise<string> {
  const options = { cwd, encoding: 'utf8', env: { ...process.env, NODE_PATH: '', ...env }, maxBuffer: 2 ** 24 } as const
  const ended = promisify(execFile)(file, [...args], options)
  ended.child.stdin?.end()
  try {
    return (await ended).stdout
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    throw new Error(`${file} ${args.join(' ')} failed: ${stdout}${stderr}`, { cause: error })
  }
}

async function pack(folder: string): Promise<void> {
  await run('npx', ['--yes', 'pnpm@12', 'pack', '--pack-destination', tarballs], folder, {})
}

function tarballOf(name: string): string {
  const start = `${name.replace('@', '').replace('/', '-')}-`
  const file = readdirSync(tarballs).find((each) => each.startsWith(start) && /^\d/.test(each.slice(start.length)))
  if (file === undefined) throw new Error(`no tarball of ${name}`)
  return join(tarballs, file)
}

async function manifestIn(tarball: string): Promise<PublishedPackage['manifest'] & Readonly<Record<string, unknown>>> {
  return JSON.parse(await run('tar', ['-xzOf', tarball, 'package/package.json'], work))
}

/** An empty project that depends on @procref/native; its package managers know the registry on loopback alone. */
async function project(): Promise<string> {
  const dir = mkdtempSync(join(work, 'project-'))
  const { version } = await manifestIn(tarballOf('@procref/native'))
  const manifest = { name: 'empty', private: true, dependencies: { '@procref/native': version } }
  writeFileSync(join(dir, 'package.json'), JSON.stringify(manifest))
  writeFileSync(join(dir, '.npmrc'), `registry=${registry.url}\n`)
  const yarn = { nodeLinker: 'node-modules', enableTelemetry: false, npmRegistryServer: registry.url }
  writeFileSync(join(dir, '.yarnrc.yml'), JSON.stringify({ ...yarn, unsafeHttpWhitelist: ['127.0.0.1'] }))
  return dir
}

async function expectToWork(dir: string, runtime: string = process.execPath): Promise<void> {
  for (const [file, text] of Object.entries(PROGRAMS)) {
    writeFileSync(join(dir, file), text)
    const said = await run(runtime, [file, join(dir, `slots-of-${file}`)], dir)
    expect(JSON.parse(said), file).toEqual({ held: 1, slot: 'number' })
  }
}

beforeAll(async () => {
  mkdirSync(tarballs)
  mkdirSync(managers)
  const built = join(NATIVE, 'npm', here, BINARY)
  copyFileSync(join(NATIVE, BINARY), built)
  try {
    await pack(join(ROOT, 'packages/core'))
    await pack(NATIVE)
    for (const platform of readdirSync(join(NATIVE, 'npm'))) await pack(join(NATIVE, 'npm', platform))
  } finally {
    rmSync(built)
  }
  const published = readdirSync(tarballs).map((file) => join(tarballs, file))
  registry = await startRegistry(
    await Promise.all(published.map(async (tarball) => ({ manifest: await manifestIn(tarball), tarball }))),
  )
  writeFileSync(join(managers, 'package.json'), '{"private":true}')
  await run('npm', ['install', '--no-audit', '--no-fund', ...MANAGERS], managers)
})
afterAll(async () => {
  await registry[Symbol.asyncDispose]()
  rmSync(work, { recursive: true, force: true })
})

test('the machine that is rehearsed has no Rust', () => {
  expect(spawnSync('cargo', ['--version'], { env: { PATH: withoutRust } }).error).toBeDefined()
})

test('the tarballs hold the built package, and the native code of one platform, and neither sources nor a developer’s build', async () => {
  const list = async (name: string): Promise<readonly string[]> =>
    (await run('tar', ['-tzf', tarballOf(name)], work)).trim().split('\n').sort()
  const besidesDist = (await list('@procref/native')).filter((file) => !file.startsWith('package/dist/'))
  expect(besidesDist).toEqual(['package/LICENSE', 'package/README.md', 'package/package.json'])
  expect(await list(`@procref/native-${here}`)).toEqual(
    ['package/LICENSE', 'package/README.md', 'package/package.json', `package/${BINARY}`].sort(),
  )
  const { version, optionalDependencies } = await manifestIn(tarballOf('@procref/native'))
  expect(optionalDependencies).toEqual(Object.fromEntries(PLATFORMS.map((name) => [name, version])))
})

describe('an empty project can import and require @procref/native, installed by', () => {
  const bin = (path: string): string => join(managers, 'node_modules', path)

  test('npm', async () => {
    const dir = await project()
    await run('npm', ['install', '--no-audit', '--no-fund', '--cache', join(work, 'npm-cache')], dir)
    await expectToWork(dir)
    expect(readdirSync(join(dir, 'node_modules/@procref')).sort()).toEqual(['core', 'native', `native-${here}`])
  })

  test('pnpm', async () => {
    const dir = await project()
    await run(bin('.bin/pnpm'), ['install', '--no-frozen-lockfile', '--store-dir', join(work, 'pnpm-store')], dir)
    await expectToWork(dir)
  })

  test('yarn 1', async () => {
    const dir = await project()
    const cache = ['--cache-folder', join(work, 'yarn-cache')]
    await run(process.execPath, [bin('yarn/bin/yarn.js'), 'install', '--non-interactive', ...cache], dir)
    await expectToWork(dir)
  })

  test('yarn 4', async () => {
    const dir = await project()
    writeFileSync(join(dir, 'yarn.lock'), '')
    const env = { YARN_ENABLE_IMMUTABLE_INSTALLS: 'false', YARN_GLOBAL_FOLDER: join(work, 'yarn-berry') }
    await run(process.execPath, [bin('@yarnpkg/cli-dist/bin/yarn.js'), 'install'], dir, { PATH: withoutRust, ...env })
    await expectToWork(dir)
  })

  test('bun, under Node and under bun itself', async () => {
    const dir = await project()
    const env = { PATH: withoutRust, BUN_INSTALL_CACHE_DIR: join(work, 'bun-cache') }
    await run(bin('.bin/bun'), ['install'], dir, env)
    await expectToWork(dir)
    await expectToWork(dir, bin('.bin/bun'))
  })
})

test('without optional dependencies the installation succeeds, and the first use names the package and the alternatives', async () => {
  const dir = await project()
  const cache = ['--cache', join(work, 'npm-cache')]
  await run('npm', ['install', '--no-audit', '--no-fund', '--omit=optional', ...cache], dir)
  writeFileSync(
    join(dir, 'use.mjs'),
    `import { native } from '@procref/native'
     console.log(JSON.stringify(await native().open('./slots').catch(({ code, message }) => ({ code, message }))))`,
  )
  const { code, message } = JSON.parse(await run(process.execPath, ['use.mjs'], dir)) as Record<string, string>
  expect(code).toBe('PROCREF_BACKEND_UNAVAILABLE')
  expect(message).toContain(`@procref/native-${here}`)
  expect(message).toMatch(/flock\(\).*lockfile\(\)/)
})
