import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../..')
const work = mkdtempSync(join(tmpdir(), 'procref-packaging-'))
const tarballs = join(work, 'tarballs')

interface Manifest {
  readonly name: string
  readonly private?: boolean
}

const folders = ['benchmarks', ...readdirSync(join(ROOT, 'packages')).map((folder) => `packages/${folder}`)]
const published = folders.flatMap((folder) => {
  const manifest = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')) as Manifest
  return manifest.private === true ? [] : [{ folder, name: manifest.name }]
})

function run(file: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = process.env): string {
  return execFileSync(file, [...args], { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

const tarballOf = (name: string): string => {
  const prefix = `${name.replace('@', '').replace('/', '-')}-`
  const found = readdirSync(tarballs).find((file) => file.startsWith(prefix) && /^\d/.test(file.slice(prefix.length)))
  if (found === undefined) throw new Error(`no tarball of ${name}`)
  return join(tarballs, found)
}

beforeAll(() => {
  mkdirSync(tarballs)
  for (const { folder } of published) {
    run('npx', ['--yes', 'pnpm@12', 'pack', '--pack-destination', tarballs], join(ROOT, folder))
  }
})
afterAll(() => rmSync(work, { recursive: true, force: true }))

describe.each(published)('the tarball of $name', ({ folder, name }) => {
  test('holds the built package, a README and no reference to the workspace', () => {
    const files = run('tar', ['-tzf', tarballOf(name)], work)
      .trim()
      .split('\n')
    expect(files).toEqual(
      expect.arrayContaining([
        'package/package.json',
        'package/README.md',
        'package/dist/index.js',
        'package/dist/index.d.ts',
      ]),
    )
    // What benchmarks compile where they run.
    const folders = folder === 'benchmarks' ? 'dist|floor|rust' : 'dist|bin'
    const expected = new RegExp(`^package/((${folders})/|(package\\.json|README\\.md|LICENSE)$)`)
    expect(files.filter((file) => !expected.test(file))).toEqual([])
    expect(run('tar', ['-xzOf', tarballOf(name), 'package/package.json'], work)).not.toContain('workspace:')
  })

  test('satisfies publint and attw', () => {
    run('npx', ['publint', tarballOf(name), '--strict'], ROOT)
    run('npx', ['attw', tarballOf(name), '--profile', 'esm-only'], ROOT)
    expect(folder).not.toBe('')
  })
})

describe('an empty project', () => {
  function project(): string {
    const dir = mkdtempSync(join(work, 'project-'))
    const dependencies = Object.fromEntries(published.map(({ name }) => [name, `file:${tarballOf(name)}`]))
    // vitest is a peer of the conformance suite alone.
    delete dependencies['@procref/conformance']
    writeFileSync(
      join(dir, 'package.json'),
      JSON.stringify({ name: 'empty', private: true, dependencies, overrides: dependencies }),
    )
    return dir
  }

  test('can import and require what npm installed, and where fs-ext was not compiled flock() says what to do', () => {
    const dir = project()
    // Without scripts nothing is compiled: the same as a machine without a compiler, since fs-ext is optional.
    run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], dir)
    run(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        "const p = await import('procref'); if (typeof p.connect !== 'function') process.exit(1)",
      ],
      dir,
    )
    run(
      process.execPath,
      ['-e', "const { flock } = require('@procref/flock'); if (typeof flock !== 'function') process.exit(1)"],
      dir,
    )
    const said = run(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        "import { flock } from '@procref/flock'; const b = flock(); console.log(JSON.stringify(await b.support('/tmp/none'))); await b.open('./slots').catch((e) => console.log(e.code, e.message))",
      ],
      dir,
    )
    expect(said).toContain('"supported":false')
    expect(said).toContain('PROCREF_BACKEND_UNAVAILABLE')
    expect(said).toContain('npm rebuild fs-ext')
    expect(run(process.execPath, ['node_modules/procref/bin/procref.js', '--version'], dir).trim()).toMatch(
      /^\d+\.\d+\.\d+/,
    )
  })

  test('measures, with the benchmarks installed beside the command', () => {
    const dir = project()
    run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], dir)
    const bench = ['node_modules/procref/bin/procref.js', 'bench', '--scale', 'guard', '--only', 'uncontended']
    const said = run(process.execPath, [...bench, '--subjects', 'c-floor,lockfile', '--output', 'results'], dir)
    expect(said).toMatch(/^C floor +\S+ µs$/m)
    expect(said).toMatch(/^lockfile\(\) +\S+ (µs|ms)$/m)
    expect(readdirSync(join(dir, 'results'))).toHaveLength(2)
  })

  test('whose compiler is broken installs all the same', () => {
    const dir = project()
    run('npm', ['install', '--no-audit', '--no-fund', '--foreground-scripts'], dir, {
      ...process.env,
      CC: 'false',
      CXX: 'false',
      npm_config_python: '/nonexistent',
    })
    expect(readdirSync(join(dir, 'node_modules', '@procref'))).toContain('flock')
  })
})
