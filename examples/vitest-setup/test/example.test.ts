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
  // A vitest that is killed leaves its own temporary folder.
  for (const name of ['node_modules', 'tmp']) mkdirSync(join(folder, name))
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
  const { PATH, HOME } = process.env
  const child = startProgram(file, {
    args,
    cwd: folder,
    bareEnv: 'bare',
    env: { PATH, HOME, TMPDIR: join(folder, 'tmp'), NO_COLOR: '1' },
  })
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

/** A vitest that loads, starts the server and runs all of it beside other tests needs longer than what one thing may take. */
const RUN_MS = 90_000

async function printed(run: Child, pattern: RegExp): Promise<void> {
  const look = (): boolean => {
    const text = `${run.stdout()}${run.stderr()}`
    if (!isAlive(run.pid)) throw new Error(`vitest has ended:\n${text}`)
    return pattern.test(text)
  }
  await eventually(`vitest has printed ${pattern}`, look, RUN_MS)
}

/** How often the server has come up; one that answers again, after a while without an answer on a busy machine, has not. */
function starts({ dir }: Copy): number {
  const entries = readFileSync(join(dir, 'journal.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  return entries.filter(({ event, reason }) => event === 'server-serving' && reason === 'ready').length
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

test('watch mode runs again on the same server, a run beside it shares it, and a server that was killed is no loss', {
  timeout: 5 * RUN_MS,
}, async () => {
  const copy = copied()
  const watching = vitest(copy, 'watch')
  await printed(watching, ALL_PASSED)
  await passes(vitest(copy, 'run'))
  addTest(copy, 'more')
  await printed(watching, /✓ src\/more\.test\.ts[\s\S]*Test Files +1 passed/)
  expect(starts(copy)).toBe(1)

  const [server] = servantsOf(copy.dir)
  process.kill(server as number, 'SIGKILL')
  await eventually('the run has its namespace again, and its user', async () => {
    const namespace = /run_\d+/.exec(await ask(copy, 'INFO FOR ROOT'))?.[0]
    return namespace !== undefined && (await ask(copy, `USE NS ${namespace}; INFO FOR NS`)).includes('worker')
  })
  addTest(copy, 'after-the-crash')
  await printed(watching, /✓ src\/after-the-crash\.test\.ts[\s\S]*Test Files +1 passed/)
  expect(starts(copy)).toBe(2)
  watching.kill('SIGINT')
  await watching.exited
  await serverStops(copy)
})

test('a run that is killed in the middle of a test leaves no process and no data, and the next one passes', {
  timeout: 3 * RUN_MS,
}, async () => {
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

function addTest({ folder }: Copy, name: string): void {
  const text =
    "import { test } from '../setup/database.ts'\ntest('added', ({ db }) => db.query('CREATE item:x SET left = 1'))\n"
  writeFileSync(join(folder, `src/${name}.test.ts`), text)
}

/** What the server says to its owner; the empty text while there is none. */
async function ask(copy: Copy, statements: string): Promise<string> {
  const run = start(
    copy,
    join(copy.folder, 'node_modules/.bin/procref'),
    'sql',
    '--dir',
    copy.dir,
    '--query',
    statements,
  )
  await run.exited
  return run.stdout()
}

function descendants(pid: number): readonly number[] {
  const all = processes()
  const below = (parent: number): readonly number[] =>
    all.filter(({ parentPid }) => parentPid === parent).flatMap((child) => [child.pid, ...below(child.pid)])
  return below(pid)
}
