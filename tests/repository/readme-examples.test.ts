import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { atEnd, endDirectory, freshDir, surrealBinary } from '@procref/testing'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { PASSWORD, startEmbedded, USER } from '../../packages/embedded/test/server.ts'

const ROOT = resolve(import.meta.dirname, '../..')
/** A whole program: modules are loaded, files indexed, a server started, beside other tests. */
const PROGRAM_MS = 300_000
vi.setConfig({ testTimeout: 2 * PROGRAM_MS })

/** An example of a README, as a program in the package's own folder, so that it finds what the package finds. */
function runExample(
  folder: string,
  dir: string,
  { below = '', env = {} }: { readonly below?: string; readonly env?: Readonly<Record<string, string>> } = {},
): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const readme = readFileSync(join(ROOT, folder, 'README.md'), 'utf8')
  const example = /```js\n([\s\S]*?)```/.exec(readme.slice(readme.indexOf(below)))?.[1]
  if (example === undefined) throw new Error(`${folder}/README.md has no example`)
  const program = join(ROOT, folder, 'test', `.readme-example-${process.pid}.mjs`)
  onTestFinished(() => rmSync(program, { force: true }))
  writeFileSync(program, example.replaceAll(/'\/tmp\/[\w-]+'/g, JSON.stringify(dir)))
  return spawnSync(process.execPath, [program], {
    encoding: 'utf8',
    cwd: join(ROOT, folder),
    env: { ...process.env, PROCREF_DIR: dir, ...env },
    timeout: PROGRAM_MS,
  })
}

/** Without Rust it is not; what its own tests then say loudly need not be said here. */
const nativeIsBuilt = readdirSync(join(ROOT, 'packages/native')).some((name) => name.endsWith('.node'))

test.each(['packages/flock', 'packages/lockfile', ...(nativeIsBuilt ? ['packages/native', 'packages/hybrid'] : [])])(
  'the example of %s runs',
  (folder) => {
    const { status, stdout, stderr } = runExample(folder, `${freshDir()}/slots`)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^slot \d+ of 100$/m)
  },
)

test('the example of benchmarks runs', () => {
  const { status, stdout, stderr } = runExample('benchmarks', freshDir())
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout).toMatch(/^A claim and its release, nobody else there flock [\d.]+ µs$/m)
})

describe.runIf(surrealBinary() !== undefined)('with a surreal executable', () => {
  test.each(['packages/lifecycle', 'packages/procref'])('the example of %s runs', async (folder) => {
    const dir = `${freshDir()}/shared`
    onTestFinished(async () => {
      await endDirectory(dir)
      expect(existsSync(dir)).toBe(true)
    })
    const { status, stdout, stderr } = runExample(folder, dir)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/ws:\/\/127\.0\.0\.1:\d+\/rpc \[ 2 \]/)
  })
})

test('the example of a server elsewhere runs', async () => {
  const server = atEnd(await startEmbedded())
  const dir = `${freshDir()}/shared`
  const env = { SURREAL_URL: `ws://127.0.0.1:${server.port}`, SURREAL_USER: USER, SURREAL_PASS: PASSWORD }
  const { status, stdout, stderr } = runExample('packages/lifecycle', dir, { below: '## A server elsewhere', env })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout).toMatch(/ws:\/\/127\.0\.0\.1:\d+\/rpc \[ 2 \]/)
  expect(readdirSync(dir)).toEqual(['external'])
})

test('the example of @procref/embedded runs', async () => {
  const dir = `${freshDir()}/shared`
  onTestFinished(() => endDirectory(dir))
  const { status, stdout, stderr } = runExample('packages/embedded', dir)
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout).toMatch(/ws:\/\/127\.0\.0\.1:\d+\/rpc \[ 2 \]/)
})

test.each([
  ['examples/gcode-mcp', /files, \d+ symbols[\s\S]*function find-symbols\.ts#findSymbols/],
  [
    'examples/gspec-mcp',
    /links is linked to links\.ts#linksOf: current[\s\S]*links \(draft\).*\n.*is in src\/links\.ts/,
  ],
])('the example of %s runs', async (folder, shows) => {
  const dir = `${freshDir()}/gsc`
  onTestFinished(() => endDirectory(dir))
  const { status, stdout, stderr } = runExample(folder, dir)
  expect(status, stderr).toBe(0)
  expect(stdout).toMatch(shows)
})
