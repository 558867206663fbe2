import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import {
  type Child,
  endDirectory,
  eventually,
  freshDir,
  isAlive,
  processes,
  servantsOf,
  startProgram,
} from '@procref/testing'
import { expect, onTestFinished, test } from 'vitest'

const EXAMPLE = resolve(import.meta.dirname, '..')

interface Copy {
  readonly folder: string
  /** procref's directory in it. */
  readonly dir: string
}

/** The example as somebody copies it: without this test, its packages installed. */
function copied(): Copy {
  const folder = freshDir()
  for (const name of ['package.json', 'vitest.config.ts', 'setup', 'src'])
    cpSync(join(EXAMPLE, name), join(folder, name), { recursive: true })
  const modules = join(EXAMPLE, 'node_modules')
  mkdirSync(join(folder, 'node_modules'))
  for (const name of readdirSync(modules).filter((name) => name === '.bin' || !name.startsWith('.')))
    symlinkSync(join(modules, name), join(folder, 'node_modules', name))
  const dir = join(folder, 'node_modules/.procref')
  onTestFinished(async () => {
    await endDirectory(dir)
    rmSync(folder, { recursive: true, force: true })
  })
  return { folder, dir }
}

/** As from a shell: nothing of the vitest that runs this test is passed on. */
function start({ folder }: Copy, file: string, ...args: readonly string[]): Child {
  const { PATH, HOME, TMPDIR } = process.env
  const child = startProgram(file, { args, cwd: folder, bareEnv: 'bare', env: { PATH, HOME, TMPDIR, NO_COLOR: '1' } })
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await child.exited
  })
  return child
}

const vitest = (copy: Copy, ...args: readonly string[]): Child =>
  start(copy, join(copy.folder, 'node_modules/.bin/vitest'), ...args)

async function passes(run: Child): Promise<void> {
  const { code } = await run.exited
  expect({ code, printed: `${run.stdout()}${run.stderr()}` }).toEqual({
    code: 0,
    printed: expect.stringMatching(ALL_PASSED),
  })
}

/** What vitest says of the whole example. */
const ALL_PASSED = /Test Files +2 passed[\s\S]*Tests +5 passed/

async function printed(run: Child, pattern: RegExp): Promise<void> {
  await eventually(`vitest has printed ${pattern}`, () => {
    const text = `${run.stdout()}${run.stderr()}`
    if (!isAlive(run.pid)) throw new Error(`vitest has ended:\n${text}`)
    return pattern.test(text)
  })
}

/** How often the server has come up. */
function starts({ dir }: Copy): number {
  const lines = readFileSync(join(dir, 'journal.ndjson'), 'utf8').trim().split('\n')
  return lines.filter((line) => JSON.parse(line).event === 'server-serving').length
}

async function serverStops({ dir }: Copy): Promise<void> {
  await eventually('the server has stopped', () => servantsOf(dir).length === 0)
}

test('does what its README shows first, on one server, and stops it', async () => {
  const copy = copied()
  const example = /```sh\n([\s\S]*?)```/.exec(readFileSync(join(EXAMPLE, 'README.md'), 'utf8'))?.[1]
  // What `npm install` would bring is there, in the versions of this repository.
  expect(example).toBe('npm install\nnpx vitest run\n')
  await passes(start(copy, 'npx', 'vitest', 'run'))
  await serverStops(copy)
  expect(starts(copy)).toBe(1)
})

test('watch mode runs again on the same server, and a run beside it shares it', async () => {
  const copy = copied()
  const watching = vitest(copy, 'watch')
  await printed(watching, ALL_PASSED)
  await passes(vitest(copy, 'run'))
  writeFileSync(
    join(copy.folder, 'src/more.test.ts'),
    "import { test } from '../setup/database.ts'\ntest('added', ({ db }) => void db)\n",
  )
  await printed(watching, /Test Files +1 passed/)
  expect(starts(copy)).toBe(1)
  watching.kill('SIGINT')
  await watching.exited
  await serverStops(copy)
})

test('a run that is killed in the middle of a test leaves no process and no data, and the next one passes', async () => {
  const copy = copied()
  const endless = join(copy.folder, 'src/endless.test.ts')
  writeFileSync(
    endless,
    "import { test } from '../setup/database.ts'\ntest('endless', async ({ db }) => {\n  await db.query('CREATE left_behind')\n  console.log('in the test')\n  await new Promise(() => {})\n})\n",
  )
  const run = vitest(copy, 'run', '--testTimeout=0')
  await printed(run, /in the test/)
  const family = descendants(run.pid)
  expect(family.length).toBeGreaterThan(0)
  run.kill('SIGKILL')
  await run.exited
  await eventually('its workers have ended', () => family.every((pid) => !isAlive(pid)))
  await serverStops(copy)
  rmSync(endless)
  await passes(vitest(copy, 'run'))
})

function descendants(pid: number): readonly number[] {
  const all = processes()
  const below = (parent: number): readonly number[] =>
    all.filter(({ parentPid }) => parentPid === parent).flatMap((child) => [child.pid, ...below(child.pid)])
  return below(pid)
}
