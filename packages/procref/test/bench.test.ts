import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { atEnd, type Child, eventually, freshDir, startProgram } from '@procref/testing'
import { expect, test } from 'vitest'

const PACKAGE = fileURLToPath(new URL('../', import.meta.url))

interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** `procref bench …` in a folder of its own, with a temporary folder of its own, so that what it leaves can be seen. */
function start(args: readonly string[], { bin = join(PACKAGE, 'bin/procref.js'), cwd = freshDir() } = {}) {
  const temporary = freshDir()
  const env = { NO_COLOR: '1', TMPDIR: temporary }
  const child: Child = atEnd(startProgram(process.execPath, { args: [bin, 'bench', ...args], env, cwd }))
  const finished = async (): Promise<Finished> => {
    const { code } = await child.exited
    return { code, stdout: child.stdout(), stderr: child.stderr() }
  }
  return { child, cwd, temporary, finished }
}

const FEW = ['--scale', 'guard', '--subjects', 'flock,lockfile', '--only', 'uncontended'] as const
/** The quickest there is. */
const ONE = ['--scale', 'guard', '--subjects', 'flock', '--only', 'uncontended'] as const

test('measures what it was asked for, prints a table, and writes the results and a report', async () => {
  const { cwd, temporary, finished } = start(FEW)
  const { code, stdout, stderr } = await finished()
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: '1 of 2  Preparing\n1 of 1  A claim and its release, nobody else there\n',
  })
  expect(stdout).toMatch(/^flock\(\) +\S+ µs$/m)
  expect(stdout).toMatch(/^lockfile\(\) +\S+ (µs|ms)$/m)
  const files = readdirSync(join(cwd, 'procref-bench')).sort()
  expect(files).toEqual([expect.stringMatching(/^\d{8}T\d{6}Z\.html$/), expect.stringMatching(/^\d{8}T\d{6}Z\.json$/)])
  for (const file of files) expect(stdout).toContain(join(cwd, 'procref-bench', file))
  expect(readFileSync(join(cwd, 'procref-bench', files[0] ?? ''), 'utf8')).toMatch(/^<!doctype html>/i)
  expect(readdirSync(temporary)).toEqual([])
})

test('--json prints where everything is; --compare tells what changed', async () => {
  const first = start([...ONE, '--json'])
  const { results, failed } = JSON.parse((await first.finished()).stdout)
  expect(failed).toEqual([])
  const { code, stdout } = await start([...ONE, '--compare', results]).finished()
  expect(code).toBe(0)
  expect(stdout).toMatch(/\bflock\b.*(faster|slower|no difference proven)$/m)
})

test.each([
  [['--subjects', 'nobody'], /There is no subject "nobody"\. There are: .*\bnative\b/],
  [['--only', 'nothing'], /There is no scenario or experiment "nothing"\. There are: .*\buncontended\b/],
  [['--scale', 'huge'], /'huge' is invalid\. Allowed choices are guard, quick, full/],
  [['--subjects', 'native,,flock'], /separated by commas/],
  [['--compare', 'missing.json'], /cannot be read: .*missing\.json/],
])('%j is wrong usage, said before anything is measured', async (args, says) => {
  const { cwd, finished } = start(args)
  const { code, stdout, stderr } = await finished()
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(says)
  expect(stderr).not.toMatch(/ of \d+ {2}| at /)
  expect(readdirSync(cwd)).toEqual([])
})

test('a file to compare with that holds no results is refused before anything is measured', async () => {
  const { cwd, finished } = start(['--compare', 'other.json'])
  writeFileSync(join(cwd, 'other.json'), '{"format": 7}')
  const { code, stderr } = await finished()
  expect(code).toBe(1)
  expect(stderr).toContain('other.json')
  expect(stderr).not.toMatch(/ of \d+ {2}/)
})

test('--list says what can be measured, and what is missing, and measures nothing', async () => {
  const { cwd, finished } = start(['--list'])
  const { code, stdout, stderr } = await finished()
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/^ +native +\S/m)
  expect(stdout).toMatch(/^ +uncontended +.*\(from --scale guard\)$/m)
  expect(readdirSync(cwd)).toEqual([])
})

test('Ctrl-C ends what was started, removes it, and says that nothing was written', async () => {
  const { child, cwd, temporary, finished } = start(['--scale', 'full', '--subjects', 'flock', '--only', 'contended'])
  await eventually('it measures', () => child.stderr().includes('1 of 1'))
  child.kill('SIGINT')
  const { code, stdout, stderr } = await finished()
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toContain('Interrupted: nothing was written.')
  expect(readdirSync(temporary)).toEqual([])
  expect(existsSync(join(cwd, 'procref-bench')) ? readdirSync(join(cwd, 'procref-bench')) : []).toEqual([])
})

test('without the package that measures, it says how to get it', async () => {
  const project = freshDir()
  const copy = join(project, 'node_modules/procref')
  for (const part of ['bin', 'dist', 'package.json']) cpSync(join(PACKAGE, part), join(copy, part), { recursive: true })
  mkdirSync(join(project, 'node_modules/@procref'))
  // All that it needs but that one.
  const { dependencies } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8'))
  for (const name of Object.keys(dependencies)) {
    symlinkSync(join(PACKAGE, 'node_modules', name), join(project, 'node_modules', name))
  }
  const { code, stderr } = await start([], { bin: join(copy, 'bin/procref.js') }).finished()
  expect(code).toBe(1)
  expect(stderr).toContain('npm install --save-dev @procref/bench')
})
