import { readdirSync, readlinkSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { identify, identifySelf, type ProcessIdentity, type ProcessTable } from '@procref/core'
import { native, ofdRange, robustMutex, sysv } from '@procref/native'
import {
  processes as allProcesses,
  asOtherUser,
  atEnd,
  type Child,
  commandLine,
  eventually,
  freeze,
  freshDir,
  isAlive,
  isRoot,
  processState,
  startChild,
  startProgram,
} from '@procref/testing'
import { describe, expect, test } from 'vitest'
// Not part of the public interface: what answers where there is no native code.
import { signalSame } from '../../lifecycle/dist/identity/signal.js'
import { describeNative } from './native-built.ts'

const SIGNALLER = new URL('./children/signaller.mjs', import.meta.url)
const REUSED_PID = new URL('./children/reused-pid.mjs', import.meta.url)

/** Never used elsewhere: there these tests are skipped. */
const processes = native().processes as ProcessTable
const describeLinux = process.platform === 'linux' ? describeNative : describe.skip
if (process.platform !== 'linux') console.warn(`NOT RUN: process identity, because this is ${process.platform}`)

test('every backend with native code tells processes apart on Linux, and nowhere else', () => {
  for (const make of [native, ofdRange, sysv, robustMutex]) {
    expect(make().processes !== undefined, make.name).toBe(process.platform === 'linux')
  }
})

function byNativeCode(pid: number): ProcessIdentity | undefined {
  const startTicks = processes.startTicksOf(pid)
  const pidNamespace = processes.namespaceOf(pid, 'pid')
  const netNamespace = processes.namespaceOf(pid, 'net')
  if (startTicks === undefined || pidNamespace === undefined || netNamespace === undefined) return undefined
  return { pid, startTicks, bootId: processes.bootId(), pidNamespace, netNamespace }
}

function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

/** The namespaces that the threads of `pid` have; '' one that must not be seen. */
function namespacesOf(pid: number, kind: 'pid' | 'net'): ReadonlySet<string> {
  let threads: string[] = []
  try {
    threads = readdirSync(`/proc/${pid}/task`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  return new Set(threads.flatMap((tid) => namespaceAt(`/proc/${pid}/task/${tid}/ns/${kind}`) ?? []))
}

function namespaceAt(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EACCES' || code === 'EPERM') return ''
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw error
  }
}

/** Both ways of looking at `pid`, which is changing nothing just now, see the same; says what. */
function seen(pid: number): ProcessIdentity | undefined {
  const identity = byNativeCode(pid)
  expect(identity).toEqual(identify(pid))
  expect(processes.executableOf(pid)).toBe(linkAt(`/proc/${pid}/exe`))
  // Of a zombie too.
  for (const kind of ['pid', 'net'] as const) {
    const found = processes.namespaceOf(pid, kind)
    expect(found === undefined ? [] : [found]).toEqual([...namespacesOf(pid, kind)])
  }
  return identity
}

/** Both ways of signalling agree; says whether they did. SIGCONT does nothing to a process that runs. */
function signalled(recorded: ProcessIdentity): boolean {
  const answer = processes.signalSame(recorded, 'SIGCONT')
  expect(signalSame(recorded, 'SIGCONT')).toBe(answer)
  return answer
}

function sleeper(program = 'sleep'): Child {
  return atEnd(startProgram(program, { args: ['300'] }))
}

describeLinux('who a process is, by native code and by JavaScript', () => {
  test('this process: the same, and never signalled', () => {
    expect(seen(process.pid)).toEqual(identifySelf())
    expect(processes.executableOf(process.pid)).toBe(readlinkSync('/proc/self/exe'))
    expect(signalled(identifySelf())).toBe(false)
  })

  test('a child: the same, and signalled', () => {
    const child = sleeper()
    const identity = seen(child.pid) ?? expect.unreachable()
    expect(identity.startTicks).toBe(String(processState(child.pid)?.startTicks))
    expect(signalled(identity)).toBe(true)
    for (const change of [
      { startTicks: '1' },
      { bootId: 'before' },
      { pidNamespace: 'pid:[1]' },
      { pidNamespace: '' },
    ]) {
      expect(signalled({ ...identity, ...change })).toBe(false)
    }
    expect(signalled({ ...identity, netNamespace: 'net:[1]' })).toBe(true)
  })

  test('a stopped child: the same, and signalled', async () => {
    const child = sleeper()
    const before = seen(child.pid) ?? expect.unreachable()
    await freeze(child.pid)
    expect(seen(child.pid)).toEqual(before)
    expect(signalled(before)).toBe(true)
    await eventually('it goes on', () => processState(child.pid)?.state !== 'T')
  })

  test('a zombie: dead, and not signalled', async () => {
    const parent = atEnd(startProgram('/bin/sh', { args: ['-c', 'sleep 300 & echo $!; exec tail -f /dev/null'] }))
    const pid = Number(await parent.line())
    // Before that the parent is a shell, which would collect its child, and so is the child.
    await eventually('the parent collects no children', () => commandLine(parent.pid)[0] === 'tail')
    await eventually('the child runs its program', () => commandLine(pid)[0] === 'sleep')
    const recorded = seen(pid) ?? expect.unreachable()
    expect(processes.signalSame(recorded, 'SIGKILL')).toBe(true)
    await eventually('it is a zombie', () => processState(pid)?.state === 'Z')
    expect(seen(pid)).toBeUndefined()
    expect(processes.namespaceOf(pid, 'net')).toBeUndefined()
    expect(signalled(recorded)).toBe(false)
  })

  test('a process whose first thread has ended: the same as before, in the namespaces of its other threads, and signalled', async () => {
    // exit(2), not exit_group(2): ends this thread only.
    const program =
      'import ctypes, platform, threading; print("started", flush=True); input(); threading.Thread(target=input).start(); ' +
      'ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[platform.machine()], 0)'
    const child = atEnd(startProgram('python3', { args: ['-c', program] }))
    await child.line()
    const recorded = seen(child.pid) ?? expect.unreachable()
    child.send('end your first thread')
    await eventually('its first thread has ended', () => processState(child.pid)?.state === 'Z')
    expect(linkAt(`/proc/${child.pid}/ns/net`)).toBeUndefined()
    expect(seen(child.pid)).toEqual(recorded)
    expect(signalled(recorded)).toBe(true)
    expect(processes.signalSame(recorded, 'SIGKILL')).toBe(true)
    await eventually('it is dead', () => !isAlive(child.pid))
  })

  test('a pid that nobody has, and numbers that are none', async () => {
    const child = sleeper()
    const recorded = seen(child.pid) ?? expect.unreachable()
    child.kill('SIGKILL')
    await child.exited
    expect(seen(child.pid)).toBeUndefined()
    expect(signalled(recorded)).toBe(false)
    for (const pid of [0, -1, -process.pid, 1.5, Number.NaN, 2 ** 31, 2 ** 32 + recorded.pid, 2 ** 40]) {
      expect(seen(pid)).toBeUndefined()
      expect(signalled({ ...recorded, pid })).toBe(false)
    }
  })

  test('pid 1: the same, and never signalled', () => {
    const init = seen(1) ?? expect.unreachable()
    // As if it had been recorded by somebody who may see all of it.
    expect(signalled({ ...identifySelf(), pid: 1, startTicks: init.startTicks })).toBe(false)
  })

  test('pid 2, a thread of the kernel where this is no container: the same', () => {
    seen(2)
  })

  test.each(['a b', 'a ) Z 1 (b', 'a\nb) X 0', '))))((((', ' '])('a child named %j: the same', (name) => {
    const path = join(freshDir(), name)
    symlinkSync('/bin/sleep', path)
    const child = sleeper(path)
    const identity = seen(child.pid) ?? expect.unreachable()
    expect(identity.startTicks).toBe(String(processState(child.pid)?.startTicks))
    expect(signalled(identity)).toBe(true)
  })

  test.skipIf(!isRoot())('a process in another pid namespace: the same, and not signalled', async () => {
    const program = 'echo started; exec sleep 300'
    const args = ['--pid', '--fork', '--mount-proc', '/bin/sh', '-c', program]
    const parent = atEnd(startProgram('unshare', { args }))
    await parent.line()
    const pid = childOf(parent.pid)
    await eventually('the child runs its program', () => commandLine(pid)[0] === 'sleep')
    const identity = seen(pid) ?? expect.unreachable()
    expect(identity.pidNamespace).not.toBe(identifySelf().pidNamespace)
    expect(signalled(identity)).toBe(false)
    process.kill(pid, 'SIGKILL')
    await parent.exited
  })

  test.skipIf(!isRoot())("another user's process: recognised, and the signal is refused in the same way", async () => {
    const target = sleeper()
    const recorded = seen(target.pid)
    // SIGTERM: SIGCONT is allowed within a session.
    const child = atEnd(startChild(SIGNALLER, { ...asOtherUser(), args: [JSON.stringify(recorded)] }))
    expect(await child.event('signalled')).toMatchObject({ native: 'EPERM', js: 'EPERM', both: 'EPERM' })
    expect(seen(target.pid)).toEqual(recorded)
  })

  test.skipIf(!isRoot())(
    'where /proc shows another pid namespace nobody is signalled, and JavaScript says why',
    async () => {
      const recorded = JSON.stringify(seen(sleeper().pid))
      const args = ['--pid', '--fork', process.execPath, SIGNALLER.pathname, recorded]
      const child = atEnd(startProgram('unshare', { args }))
      expect(await child.event('signalled')).toMatchObject({
        native: 'ENOSYS',
        js: 'PROCREF_IDENTITY_UNAVAILABLE',
        both: 'PROCREF_IDENTITY_UNAVAILABLE',
      })
    },
  )

  // 1. a process is recorded, ends and is collected; 2. a newcomer gets its pid; 3. the recorded process is signalled.
  test.skipIf(!isRoot())('a newcomer with the pid of a recorded process is left alone', async () => {
    const args = ['--pid', '--fork', '--mount-proc', process.execPath, REUSED_PID.pathname]
    const child = atEnd(startProgram('unshare', { args }))
    const { recorded, newcomer, answers, after } = await child.event<{
      recorded: ProcessIdentity
      newcomer: ProcessIdentity
      answers: unknown
      after: unknown
    }>('reused')
    expect(newcomer.pid).toBe(recorded.pid)
    expect(newcomer.startTicks).not.toBe(recorded.startTicks)
    expect(answers).toEqual({ native: false, js: false, both: false })
    expect(after).toEqual(newcomer)
    expect(await child.event('ended')).toMatchObject({ signalled: true, by: 'SIGKILL' })
  })
})

if (!isRoot()) console.warn('NOT RUN: identity across users and namespaces, because we are not root')

function childOf(parentPid: number): number {
  return allProcesses().find((state) => state.parentPid === parentPid)?.pid ?? expect.unreachable()
}
