import { copyFileSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import {
  type Child,
  commandLine,
  endDirectory,
  eventually,
  freshDir,
  processes,
  startProgram,
  surrealBinary,
} from '@procref/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { pythonWithSdk } from '../../../tests/python-sdk/environment.ts'

const EXAMPLE = resolve(import.meta.dirname, '..')
const PROCREF = join(EXAMPLE, 'node_modules/.bin/procref')

const python = await pythonWithSdk()

interface Place {
  readonly folder: string
  readonly dir: string
}

/** The example as somebody copies it, with its packages, and a database directory of its own. */
function copied(): Place {
  const folder = freshDir()
  for (const file of ['notes.py', 'package.json', 'requirements.txt'])
    copyFileSync(join(EXAMPLE, file), join(folder, file))
  symlinkSync(join(EXAMPLE, 'node_modules'), join(folder, 'node_modules'))
  // `.venv/bin/python`, as README.md makes it.
  symlinkSync(dirname(dirname(python as string)), join(folder, '.venv'))
  const dir = join(folder, 'shared')
  onTestFinished(async () => {
    await endDirectory(dir)
    rmSync(dir, { recursive: true, force: true })
  })
  return { folder, dir }
}

/** Runs until it ends or the test does. */
function start(file: string, args: readonly string[], { folder, dir }: Place): Child {
  const env = { PROCREF_DIR: dir, PYTHONDONTWRITEBYTECODE: '1', PYTHONUTF8: '1', NO_COLOR: '1' }
  const child = startProgram(file, { args, cwd: folder, env })
  onTestFinished(async () => {
    // `procref run` passes it on to its program, and ends after it.
    child.kill('SIGTERM')
    await child.exited
  })
  return child
}

async function output(child: Child): Promise<string> {
  const { code } = await child.exited
  expect({ code, stderr: child.stderr() }).toEqual({ code: 0, stderr: '' })
  return child.stdout()
}

/** The blocks of a README in one language. */
function blocks(language: string): readonly string[] {
  const readme = readFileSync(join(EXAMPLE, 'README.md'), 'utf8')
  return [...readme.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, text]) => text ?? '')
}

describe.runIf(python !== undefined)('notes.py', () => {
  test('does what its README shows first', async () => {
    const place = copied()
    const [install, example] = blocks('sh')
    expect(install).toMatch(/^python3 -m venv \.venv\n\.venv\/bin\/python -m pip install -r requirements\.txt\n$/)
    const printed = await output(start('/bin/sh', ['-ec', example as string], place))
    const notes = printed
      .trim()
      .split('\n')
      .map((line) => line.replace(/^\S+ \S+ {2}\S+: /, ''))
    expect(notes).toEqual([
      'Locks are released by the kernel when their holder dies',
      'The guardian holds server.lock',
      'The guardian [holds] server.[lock]',
    ])
  })

  test('says how to start it when it was started without a database', async () => {
    const place = copied()
    const child = start(join(place.folder, '.venv/bin/python'), ['notes.py', 'find', 'x'], place)
    expect((await child.exited).code).toBe(1)
    expect(child.stderr()).toMatch(
      /^notes\.py: there is no database\. Start me with: procref run -- python notes\.py …\n$/,
    )
  })

  test.each(surrealBinary() === undefined ? ['embedded'] : ['embedded', 'binary'])(
    'two that were started at once see what others add; a killed one is no loss, and after the last the server stops (%s)',
    async (driver) => {
      const place = copied()
      const notes = (...args: readonly string[]): Child => runNotes(place, driver, args)
      const [one, other] = [notes('watch'), notes('watch')]
      for (const watcher of [one, other]) expect(await watcher.line()).toBe('watching; Ctrl-C ends it')
      await output(notes('add', 'seen by both'))
      for (const watcher of [one, other]) expect(await watcher.line()).toMatch(/: seen by both$/)

      expect((await status(place)).users).toBe(2)
      process.kill(programOf(one), 'SIGKILL')
      expect(await one.exited).toEqual({ code: 128 + 9, signal: null })
      await output(notes('add', 'seen by one'))
      expect(await other.line()).toMatch(/: seen by one$/)
      expect((await output(notes('find', 'seen'))).trim().split('\n')).toHaveLength(2)

      process.kill(programOf(other), 'SIGINT')
      expect((await other.exited).code).toBe(0)
      await eventually('the server has stopped', async () => (await status(place)).state === 'stopped')
      expect(await output(notes('find', 'both'))).toMatch(/seen by \[both\]$/m)
    },
  )

  test('a watcher whose server was killed says so and ends, and the next program finds every note', async () => {
    const place = copied()
    const notes = (...args: readonly string[]): Child => runNotes(place, 'embedded', args)
    const watcher = notes('watch')
    await watcher.line()
    await output(notes('add', 'kept'))
    await watcher.line()
    process.kill((await status(place)).server.pid, 'SIGKILL')
    expect((await watcher.exited).code).toBe(1)
    expect(watcher.stderr()).toContain('notes.py: the connection to the server is lost')
    expect(await output(notes('find', 'kept'))).toMatch(/: \[kept\]$/m)
  })
})

/** `procref run -- python notes.py …`, with the server that is meant. */
function runNotes(place: Place, driver: string, args: readonly string[]): Child {
  const options = ['--driver', driver, '--linger', '200ms']
  return start(PROCREF, ['run', ...options, '--', '.venv/bin/python', 'notes.py', ...args], place)
}

/** The Python program of a `procref run`. */
function programOf(run: Child): number {
  // The process that launched the guardian for it was its child as well.
  const program = processes().find(
    ({ pid, parentPid }) => parentPid === run.pid && commandLine(pid).includes('notes.py'),
  )
  if (program === undefined) throw new Error(`procref run (pid ${run.pid}) has no program`)
  return program.pid
}

interface Status {
  readonly state: string
  readonly users: number
  readonly server: { readonly pid: number }
}

async function status(place: Place): Promise<Status> {
  return JSON.parse(await output(start(PROCREF, ['status', '--json'], place))) as Status
}
