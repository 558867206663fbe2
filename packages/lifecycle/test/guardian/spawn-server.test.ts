import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import {
  commandLine,
  environment,
  eventually,
  freshDir,
  HANGS_MS,
  mustBlock,
  openFiles,
  processState,
  startChild,
  startProgram,
  whoHasOpen,
  within,
} from '@procref/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { serverBinding, spawnServer } from '../../dist/guardian/spawn-server.js'

interface Spawned extends ReturnType<typeof spawnServer> {
  readonly log: string
  readonly lock: string
}

/** A server with a log and a lock file, ended with the test. */
function spawnHere(file: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Spawned {
  const dir = freshDir()
  const [log, lock] = [`${dir}/server.log`, `${dir}/server.lock`]
  const [logFd, lockFd] = [openSync(log, 'a'), openSync(lock, 'w')]
  const server = spawnServer({ plan: { file, args, env }, logFd, lockFd, nonce: 'a-nonce' })
  closeSync(logFd)
  closeSync(lockFd)
  onTestFinished(async () => {
    server.signal('SIGKILL')
    await server.ended
  })
  return { ...server, log, lock }
}

/** Before that it is setpriv or a shell. */
async function untilItIs(server: Spawned, program: string): Promise<void> {
  await eventually(`it is ${program}`, () => commandLine(server.pid)[0] === program)
}

/** What whoever started this test run leaks to everything below it; from a guardian the launcher has taken it away. */
const inherited = new Set(
  openFiles(process.pid)
    .filter(({ fd }) => fd > 2 && !isClosedOnExec(fd))
    .map(({ target }) => target),
)

function isClosedOnExec(fd: number): boolean {
  const flags = /^flags:\s+([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1] ?? ''
  return (Number.parseInt(flags, 8) & 0o2000000) !== 0
}

describe.runIf(process.platform === 'linux')('the server process', () => {
  test('leads its own session, so that no signal to the group of its guardian reaches it', async () => {
    const server = spawnHere('/bin/sleep', ['600'])
    expect(processState(server.pid)).toMatchObject({ session: server.pid, processGroup: server.pid })
  })

  test('has the null device, its log twice, the lock, and no other descriptor of its guardian', async () => {
    const extra = openSync('/dev/zero', 'r')
    onTestFinished(() => closeSync(extra))
    const server = spawnHere('/bin/sleep', ['600'])
    await untilItIs(server, '/bin/sleep')
    const open = (): readonly string[] =>
      openFiles(server.pid)
        .filter(({ target }) => !inherited.has(target))
        .map(({ fd, target }) => `${fd} ${target}`)
    // The program loads its libraries first.
    await expect
      .poll(open, { timeout: HANGS_MS })
      .toEqual(['0 /dev/null', `1 ${server.log}`, `2 ${server.log}`, `3 ${server.lock}`])
  })

  test('has the small environment, its own variables and the nonce, and no marker of a guardian', async () => {
    const unwanted = ['NODE_OPTIONS', 'SURREAL_USER', 'PROCREF_GUARDIAN', 'SOME_TOKEN']
    for (const name of unwanted) process.env[name] = ''
    onTestFinished(() => {
      for (const name of unwanted) delete process.env[name]
    })
    const server = spawnHere('/bin/sleep', ['600'], { SURREAL_PASS: 'given' })
    await untilItIs(server, '/bin/sleep')
    const seen = environment(server.pid)
    expect(seen).toMatchObject({ SURREAL_PASS: 'given', PROCREF_INSTANCE: 'a-nonce', PATH: process.env.PATH })
    expect(unwanted.filter((name) => name in seen)).toEqual([])
  })

  test('gets its arguments unchanged, whatever a shell would make of them', async () => {
    const args = ['-c', 'printf "%s|" "$@"', 'sh', '$HOME', 'a b', '"', "'", '*', '--', '']
    const server = spawnHere('/bin/sh', args)
    expect(await server.ended).toEqual({ code: 0, signal: null })
    expect(readFileSync(server.log, 'utf8')).toBe(`${args.slice(3).join('|')}|`)
  })

  test('ends with its exit code, or with the signal that ended it', async () => {
    expect(await spawnHere('/bin/sh', ['-c', 'exit 7']).ended).toEqual({ code: 7, signal: null })
    const sleeper = spawnHere('/bin/sleep', ['600'])
    await untilItIs(sleeper, '/bin/sleep')
    sleeper.signal('SIGTERM')
    expect(await sleeper.ended).toEqual({ code: null, signal: 'SIGTERM' })
    sleeper.signal('SIGKILL')
  })

  test('takes workers with it that have inherited the lock', async () => {
    const server = spawnHere('/bin/sh', ['-c', 'trap "" TERM; /bin/sleep 600 & echo started; exit 3'])
    expect(await server.ended).toEqual({ code: 3, signal: null })
    expect(readFileSync(server.log, 'utf8')).toBe('started\n')
    await eventually('nobody has the lock open', () => whoHasOpen(server.lock).length === 0)
  })

  test('is refused with call and path when the program is missing or not executable', () => {
    const dir = freshDir()
    writeFileSync(`${dir}/plain`, '')
    expect(() => spawnHere(`${dir}/none`, [])).toThrow(expect.objectContaining({ code: 'ENOENT', path: `${dir}/none` }))
    expect(() => spawnHere(`${dir}/plain`, [])).toThrow(expect.objectContaining({ code: 'EACCES' }))
  })

  test('is refused in a worker thread, with which it would die', async () => {
    const module = new URL('../../dist/guardian/spawn-server.js', import.meta.url).href
    const plan = { file: '/bin/sleep', args: ['600'], env: {} }
    const code = `import(${JSON.stringify(module)}).then((m) => m.spawnServer({ plan: ${JSON.stringify(plan)}, logFd: 2, nonce: '' }))`
    const worker = new Worker(code, { eval: true })
    const failure = await new Promise((resolve) => worker.once('error', resolve))
    expect(String(failure)).toContain('main thread')
  })
})

const guardian = fileURLToPath(new URL('../children/short-guardian.mjs', import.meta.url))

/** Ends once nobody has the other end open: neither guardian nor server is left. */
function endOf(pipe: Readable): Promise<void> {
  return new Promise((resolve) => {
    pipe.once('close', resolve)
    pipe.resume()
  })
}

function spawnWithPipe(
  file: string,
  args: readonly string[],
): { readonly child: ChildProcess; readonly pipe: Readable } {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] })
  return { child, pipe: child.stdio[3] as Readable }
}

describe.runIf(process.platform === 'linux')('a server and its guardian', () => {
  test('a guardian killed at any time after the spawn leaves no server behind', async () => {
    // guardian: spawns │ child: setpriv sets the signal │ guardian: killed somewhere here │ child: compares its parent, becomes the server
    expect(serverBinding()).toBe('kernel')
    const log = `${freshDir()}/log`
    const pauses = Array.from({ length: 32 }, (_, round) => (round < 16 ? round * 15 : (round - 16) * 300))
    const next = pauses[Symbol.iterator]()
    const worker = async (): Promise<void> => {
      for (const pause of next) {
        const { pipe } = spawnWithPipe(process.execPath, [guardian, String(pause), log])
        await within(`the server of a guardian killed after ${pause} µs is gone`, endOf(pipe))
      }
    }
    await Promise.all([worker(), worker()])
  })

  test('without the binding it would be left (so the test above can fail)', async () => {
    const script = 'sleep 600 <&- & echo $!; kill -9 $$'
    const { child, pipe } = spawnWithPipe('/bin/sh', ['-c', script])
    const orphan = await new Promise<number>((resolve) => child.stdout?.once('data', (text) => resolve(Number(text))))
    const over = await mustBlock('the end of an unbound server', endOf(pipe))
    process.kill(orphan, 'SIGKILL')
    await over()
  })

  test('where setpriv does not know --pdeathsig the server is spawned unbound, and the binding says so', async () => {
    const dir = freshDir()
    writeFileSync(`${dir}/setpriv`, '#!/bin/sh\necho "unrecognized option" >&2\nexit 1\n')
    chmodSync(`${dir}/setpriv`, 0o755)
    const child = startChild(new URL('../children/binding.mjs', import.meta.url), {
      env: { PATH: `${dir}${delimiter}${process.env.PATH}` },
    })
    onTestFinished(() => child[Symbol.asyncDispose]())
    expect(await child.event('bound')).toMatchObject({ binding: 'none', end: { code: 7, signal: null } })
  })

  test('where setpriv is killed before it has answered no server is spawned either', async () => {
    const dir = freshDir()
    writeFileSync(`${dir}/setpriv`, '#!/bin/sh\nkill -9 $$\n')
    chmodSync(`${dir}/setpriv`, 0o755)
    const child = startChild(new URL('../children/binding.mjs', import.meta.url), {
      env: { PATH: `${dir}${delimiter}${process.env.PATH}` },
    })
    onTestFinished(() => child[Symbol.asyncDispose]())
    await child.exited
    expect(child.stderr()).toMatch(/setpriv could not be started: it was killed.*SIGKILL/)
    expect(child.stdout()).not.toContain('bound')
  })

  test('where it cannot be asked no server is spawned: unbound it would outlive its guardian', async () => {
    const program = fileURLToPath(new URL('../children/binding-without-descriptors.mjs', import.meta.url))
    const child = startProgram('prlimit', { args: ['--nofile=100', process.execPath, program] })
    onTestFinished(() => child[Symbol.asyncDispose]())
    const { code, message } = await child.event<{ code: string; message: string }>('refused')
    expect([code, message]).toEqual([
      'PROCREF_SERVER_SPAWN',
      expect.stringMatching(/^setpriv could not be started.*EMFILE/),
    ])
    // It is asked again: no answer is no answer for good.
    expect(await child.event('bound')).toMatchObject({ binding: 'kernel' })
  })
})
