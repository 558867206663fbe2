import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { flock } from '@procref/flock'
import { layout } from '@procref/lifecycle'
import { isNativeCodeHere } from '@procref/native'
import {
  atEnd,
  type Child,
  commandLine,
  endDirectory,
  environment,
  eventually,
  freeze,
  freshDir,
  isAlive,
  processes,
  startProgram,
  surrealBinary,
} from '@procref/testing'
import { describe, expect, onTestFinished, test } from 'vitest'

const PROCREF = fileURLToPath(new URL('../bin/procref.js', import.meta.url))

function procref(...args: readonly string[]): Child {
  return procrefWith({}, ...args)
}

function procrefWith(env: Readonly<Record<string, string>>, ...args: readonly string[]): Child {
  const child = startProgram(process.execPath, { args: [PROCREF, ...args], env: { NO_COLOR: '1', ...env } })
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await child.exited
  })
  return child
}

async function finish(child: Child): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { code } = await child.exited
  return { code, stdout: child.stdout(), stderr: child.stderr() }
}

function serviceDir(): string {
  const dir = `${freshDir()}/service`
  onTestFinished(async () => {
    await endDirectory(dir)
    rmSync(dir, { recursive: true, force: true })
  })
  return dir
}

describe('the command line', () => {
  test('a mistyped command exits with 2 and suggests the right one', async () => {
    const { code, stdout, stderr } = await finish(procref('statsu'))
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('Did you mean status?')
    expect(stderr).not.toContain('    at ')
  })

  test('a mistyped option exits with 2 and suggests the right one', async () => {
    const { code, stderr } = await finish(procref('status', '--jsno'))
    expect(code).toBe(2)
    expect(stderr).toContain('Did you mean --json?')
  })

  test('every command explains itself with examples', async () => {
    const { stdout } = await finish(procref('--help'))
    const names = [...stdout.matchAll(/^ {2}([a-z]+) (?:\[|<)/gm)]
      .map((match) => match[1] ?? '')
      .filter((name) => name !== 'help')
    expect(names).toEqual(expect.arrayContaining(['run', 'status', 'ps', 'why', 'logs', 'stop', 'url', 'slot']))
    for (const name of names) {
      const help = await finish(procref(name, '--help'))
      expect(help).toMatchObject({ code: 0, stderr: '' })
      expect(help.stdout).toMatch(/Examples:/)
    }
  })

  test('commands that only look make nothing', async () => {
    const dir = `${freshDir()}/not-there`
    for (const command of ['status', 'ps', 'why', 'logs'])
      expect(await finish(procref(command, '--dir', dir))).toMatchObject({ code: 0 })
    expect(JSON.parse((await finish(procref('status', '--dir', dir, '--json'))).stdout)).toMatchObject({
      state: 'stopped',
      users: 0,
    })
    expect(existsSync(dir)).toBe(false)
  })

  test('a server that is named and is not there is an error, and no other one is started in its place', async () => {
    const dir = serviceDir()
    const named = `${freshDir()}/surreal`
    const child = procrefWith({ PROCREF_SURREAL_BIN: named }, 'sql', '--dir', dir, '--query', 'RETURN 1')
    const { code, stdout, stderr } = await finish(child)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(`No surreal executable was found. Looked at: ${named}. Correct what names it`)
    expect(existsSync(dir)).toBe(false)
    const embedded = ['--driver', 'embedded', '--linger', '0s', '--query', 'RETURN 1']
    expect(await finish(procrefWith({ PROCREF_SURREAL_BIN: named }, 'sql', '--dir', dir, ...embedded))).toMatchObject({
      code: 0,
      stdout: '1\n',
    })
  })

  test('a backend that does not exist exits with 2, as any wrong value, and names those that do', async () => {
    const { code, stdout, stderr } = await finish(procref('status', '--dir', serviceDir(), '--backend', 'telepathy'))
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('native, flock')
  })

  test('stop without a guardian prints stopped and exits with 0', async () => {
    const dir = `${freshDir()}/not-there`
    expect(await finish(procref('stop', '--dir', dir))).toMatchObject({ code: 0, stdout: 'stopped\n' })
  })

  test('slot hold prints one JSON line and holds until stdin ends; a full pool exits with 75 and names the holder', async () => {
    const dir = `${freshDir()}/slots-only`
    mkdirSync(dir, { mode: 0o700 })
    const holder = procref('slot', 'hold', '--dir', dir, '--slots', '1', '--label', 'the holder')
    const line = JSON.parse(await holder.line())
    expect(line).toEqual({ slot: 0, pid: holder.pid, backend: isNativeCodeHere() ? 'native' : 'flock' })
    const second = await finish(procref('slot', 'try', '--dir', dir))
    expect(second.code).toBe(75)
    expect(second.stderr).toContain('All 1 slots are in use')
    expect(second.stderr).toContain(`pid ${holder.pid} (the holder`)
    const listed = JSON.parse((await finish(procref('slot', 'list', '--dir', dir, '--json'))).stdout)
    expect(listed).toMatchObject({ size: 1, held: [{ slot: 0, pid: holder.pid, label: 'the holder' }] })
    holder.end()
    expect((await holder.exited).code).toBe(0)
    expect(await finish(procref('slot', 'try', '--dir', dir))).toMatchObject({ code: 0 })
  })

  test('a slot whose holder was killed is free', async () => {
    const dir = `${freshDir()}/slots-only`
    const holder = procref('slot', 'hold', '--dir', dir, '--slots', '1')
    await holder.line()
    holder.kill('SIGKILL')
    await holder.exited
    expect(await finish(procref('slot', 'try', '--dir', dir))).toMatchObject({ code: 0 })
  })
})

describe.runIf(surrealBinary() !== undefined)('procref run (surreal executable)', () => {
  test('passes the server on in the environment, and the exit code through', async () => {
    const dir = serviceDir()
    const { code, stdout } = await finish(
      procref('run', '--dir', dir, '--linger', '500ms', '--', 'sh', '-c', 'env | grep ^SURREAL_; exit 7'),
    )
    expect(code).toBe(7)
    const names = stdout
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0])
    expect(names.sort()).toEqual([
      'SURREAL_DATABASE',
      'SURREAL_NAMESPACE',
      'SURREAL_PASS',
      'SURREAL_URL',
      'SURREAL_USER',
    ])
    await eventually('the server has stopped', () =>
      /"state": "stopped"/.test(readFileSync(`${dir}/server.json`, 'utf8')),
    )
  })

  test('a Python program keeps the slot and the server when run itself is killed', async () => {
    const dir = serviceDir()
    // Bounded: should the test die, the program does not stay.
    const program = 'import os, time; print(os.getpid(), flush=True); time.sleep(60)'
    const run = procref('run', '--dir', dir, '--linger', '100ms', '--', 'python3', '-c', program)
    const pid = Number(await run.line())
    onTestFinished(() => {
      if (isAlive(pid)) process.kill(pid, 'SIGKILL')
    })
    run.kill('SIGKILL')
    // Several lingers and beats of the guardian: whoever thought the slot free would have stopped the server by now.
    await expect(finish(procref('stop', '--dir', dir))).resolves.toMatchObject({ code: 1 })
    const status = JSON.parse((await finish(procref('status', '--dir', dir, '--json'))).stdout)
    expect(status).toMatchObject({ state: 'serving', users: 1 })
    process.kill(pid, 'SIGKILL')
    await eventually('the server has stopped', () =>
      /"state": "stopped"/.test(readFileSync(`${dir}/server.json`, 'utf8')),
    )
  })

  test('stop is refused while the server is used, and --force stops it', async () => {
    const dir = serviceDir()
    const run = procref('run', '--dir', dir, '--', 'sh', '-c', 'echo up; read line')
    await run.line()
    const refused = await finish(procref('stop', '--dir', dir))
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain(`pid ${run.pid}`)
    expect(await finish(procref('stop', '--dir', dir, '--force'))).toMatchObject({ code: 0, stdout: 'stopped\n' })
    const why = (await finish(procref('why', '--dir', dir))).stdout
    expect(why).toMatch(/server-stopping\s+request/)
  })
})

/** Is there a keeper of this directory, or one that is just starting? */
function isKept(dir: string): boolean {
  return processes().some(
    ({ pid }) => environment(pid).PROCREF_KEEPER === '1' && commandLine(pid).join(' ').includes(dir),
  )
}

describe('a server that is kept up on purpose (embedded engine)', () => {
  async function started(): Promise<string> {
    const dir = serviceDir()
    const start = await finish(procref('start', '--dir', dir, '--driver', 'embedded', '--linger', '200ms'))
    expect(start).toMatchObject({ code: 0 })
    onTestFinished(async () => {
      // The keeper is a client: endDirectory would wait for it.
      await finish(procref('stop', '--force', '--dir', dir))
    })
    return dir
  }

  test('start keeps it up without a client, a second start finds it, and stop ends keeper and server', async () => {
    const dir = await started()
    expect(await finish(procref('start', '--dir', dir))).toMatchObject({ code: 0 })
    const { server, users } = JSON.parse((await finish(procref('status', '--dir', dir, '--json'))).stdout)
    expect(users).toBe(1)
    expect(await finish(procref('stop', '--dir', dir))).toMatchObject({ code: 0, stdout: 'stopped\n' })
    await eventually('the guardian has left', () => !isAlive(server.guardianPid))
  })

  // Another keeper has the lock, and its server is not up.
  test('start waits for the keeper of another start no longer than it is told to, and takes its place when it leaves', async () => {
    const dir = serviceDir()
    mkdirSync(dir, { mode: 0o700 })
    const lock = flock().locks.tryLock(layout(dir).keeperLock) ?? expect.unreachable()
    const args = ['start', '--dir', dir, '--driver', 'embedded', '--linger', '200ms', '--json']
    try {
      const { code, stderr } = await finish(procref(...args, '--timeout', '1s'))
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringContaining('within 1000 ms, waiting for another'),
      })
      const start = procref(...args)
      await eventually('its keeper is there', () => isKept(dir))
      await eventually('its keeper was refused', () => !isKept(dir))
      lock.release()
      const { code: kept, stdout } = await finish(start)
      expect({ kept, started: JSON.parse(stdout) }).toMatchObject({
        kept: 0,
        started: { started: true, state: 'serving' },
      })
    } finally {
      lock.release()
      await finish(procref('stop', '--force', '--dir', dir))
    }
  })

  test.each(['stop', 'restart'])('Ctrl-C while %s waits takes back what was asked', async (command) => {
    const dir = await started()
    const args = command === 'stop' ? ['--force'] : []
    const { server } = JSON.parse((await finish(procref('status', '--dir', dir, '--json'))).stdout)
    await freeze(server.guardianPid)
    const waiting = procref(command, '--dir', dir, ...args)
    await eventually('the guardian is asked', () => existsSync(`${dir}/request.json`))
    waiting.kill('SIGINT')
    const { code, stderr } = await finish(waiting)
    expect({ code, stderr }).toEqual({ code: null, stderr: expect.stringContaining('SIGINT') })
    expect(existsSync(`${dir}/request.json`)).toBe(false)
    process.kill(server.guardianPid, 'SIGCONT')
  })

  test('a guardian that leaves before it reads the request: stop says stopped, and leaves no request', async () => {
    const dir = serviceDir()
    const query = ['--driver', 'embedded', '--linger', '10m', '--query', 'RETURN 1']
    expect(await finish(procref('sql', '--dir', dir, ...query))).toMatchObject({ code: 0 })
    const { server } = JSON.parse((await finish(procref('status', '--dir', dir, '--json'))).stdout)
    await freeze(server.guardianPid)
    const stop = procref('stop', '--dir', dir)
    await eventually('the guardian is asked', () => existsSync(`${dir}/request.json`))
    process.kill(server.guardianPid, 'SIGKILL')
    expect(await finish(stop)).toMatchObject({ code: 0, stdout: 'stopped\n' })
    expect(existsSync(`${dir}/request.json`)).toBe(false)
  })

  test('env prints no password unless it is asked for, and what it prints is understood by a shell', async () => {
    const dir = await started()
    const plain = (await finish(procref('env', '--dir', dir))).stdout
    expect(plain).toContain('export SURREAL_URL=')
    expect(plain).not.toContain('SURREAL_PASS')
    const secret = (await finish(procref('env', '--dir', dir, '--secrets'))).stdout
    const shell = startProgram('/bin/sh', { args: ['-c', `${secret}\nprintf %s "$SURREAL_PASS"`] })
    await shell.exited
    const { password } = JSON.parse(readFileSync(`${dir}/data/credentials.json`, 'utf8'))
    expect(shell.stdout()).toBe(password)
  })

  test('sql answers statements from stdin and from --query, and a wrong one exits with 1', async () => {
    const dir = await started()
    expect(await finish(procref('sql', '--dir', dir, '--query', 'RETURN 6 * 7'))).toMatchObject({
      code: 0,
      stdout: '42\n',
    })
    const piped = procref('sql', '--dir', dir)
    piped.send('RETURN 1 + 1;')
    piped.end()
    expect(await finish(piped)).toMatchObject({ code: 0, stdout: '2\n' })
    const wrong = await finish(procref('sql', '--dir', dir, '--query', 'SELECT FROM'))
    expect(wrong.code).toBe(1)
    expect(wrong.stderr).toMatch(/pars/i)
  })

  test('logs shows what the server said, url where it is', async () => {
    const dir = await started()
    expect((await finish(procref('logs', '--dir', dir))).stdout).toContain('SurrealDB engine')
    expect((await finish(procref('url', '--dir', dir))).stdout).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/rpc\n$/)
  })
})

describe.runIf(process.platform === 'linux')('with too few descriptors for the command itself', () => {
  // Node needs some twenty before it reads a file of ours.
  test.each([24, 28, 36, 44, 52])('%d: it says so in one line, and in JSON when that is asked for', async (most) => {
    const args = [`--nofile=${most}:${most}`, process.execPath, PROCREF, 'status', '--dir', freshDir(), '--json']
    const child = atEnd(startProgram('prlimit', { args }))
    expect(await child.exited).toMatchObject({ code: 1 })
    expect(child.stderr()).toMatch(/^procref: Could not load the command \(EMFILE\)\..*ulimit -n.*\n$/)
    expect(JSON.parse(child.stdout())).toMatchObject({ error: { code: 'PROCREF_TOO_MANY_OPEN_FILES' } })
  })
})
