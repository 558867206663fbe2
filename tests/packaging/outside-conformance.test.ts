import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../..')
const PACKAGES = ['core', 'flock', 'conformance']

/** A third party's project: it has the packed packages, vitest, and a backend of its own. */
const project = join(mkdtempSync(join(tmpdir(), 'procref-outside-')), 'their-backend')

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly title: string; readonly failureMessages: readonly string[] }[]
  }[]
}

function run(file: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = process.env): void {
  execFileSync(file, [...args], { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] })
}

/** The `nth` JavaScript example of a document of this repository. */
function example(document: string, nth: number): string {
  const found = [...readFileSync(join(ROOT, document), 'utf8').matchAll(/```js\n([\s\S]*?)```/g)][nth]?.[1]
  if (found === undefined) throw new Error(`${document} has no example ${nth}`)
  return found
}

/** Runs one test file there, with their vitest, and reports. Vitest's own exit code is in the report. */
function runTheirs(file: string): Report {
  const report = join(project, 'report.json')
  rmSync(report, { force: true })
  const args = ['node_modules/vitest/vitest.mjs', 'run', file, '--reporter=json', `--outputFile=${report}`]
  try {
    // Not ours: this test runs in vitest as well.
    const { NODE_OPTIONS: _, VITEST: __, ...env } = process.env
    run(process.execPath, args, project, env)
  } catch (error) {
    if (!existsSync(report)) throw error
  }
  return JSON.parse(readFileSync(report, 'utf8')) as Report
}

function failuresOf(report: Report): readonly string[] {
  return report.testResults.flatMap(({ assertionResults }) =>
    assertionResults.flatMap(({ title, failureMessages }) => failureMessages.map((message) => `${title}: ${message}`)),
  )
}

beforeAll(() => {
  const tarballs = join(project, 'tarballs')
  mkdirSync(tarballs, { recursive: true })
  for (const folder of PACKAGES) {
    run('npx', ['--yes', 'pnpm@12', 'pack', '--pack-destination', tarballs], join(ROOT, 'packages', folder))
  }
  const dependencies = Object.fromEntries(
    PACKAGES.map((folder) => {
      const file = readdirSync(tarballs).find((name) => name.startsWith(`procref-${folder}-`))
      return [`@procref/${folder}`, `file:tarballs/${file}`]
    }),
  )
  const { vitest } = (
    JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { devDependencies: Record<string, string> }
  ).devDependencies
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({
      type: 'module',
      private: true,
      dependencies: { ...dependencies, vitest },
      overrides: dependencies,
    }),
  )
  run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund'], project)
  writeFileSync(join(project, 'flock.test.js'), example('packages/conformance/README.md', 0))
  writeFileSync(join(project, 'flock-program.mjs'), example('docs/writing-a-backend.md', 0))
  writeFileSync(join(project, 'flock-program.test.js'), example('docs/writing-a-backend.md', 1))
})
afterAll(() => rmSync(resolve(project, '..'), { recursive: true, force: true }))

test('the example of the README runs in a project of its own, and flock passes', () => {
  const report = runTheirs('flock.test.js')
  expect(failuresOf(report)).toEqual([])
  expect(report.numPassedTests).toBeGreaterThan(100)
})

test('the backend that the guide opens with passes there as well', () => {
  const report = runTheirs('flock-program.test.js')
  expect(failuresOf(report)).toEqual([])
  expect(report.numPassedTests).toBeGreaterThan(100)
})

test('a backend that is wrong fails there', () => {
  const wrong = example('docs/writing-a-backend.md', 0).replace(
    "const free = flock(own, '--shared')",
    'const free = true',
  )
  writeFileSync(join(project, 'flock-program.mjs'), wrong)
  const failures = failuresOf(runTheirs('flock-program.test.js'))
  expect(failures.join('\n')).toMatch(/where locks do not work|was found free/)
})
