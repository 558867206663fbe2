import fs, { symlinkSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import {
  bootId,
  identify,
  identifySelf,
  isProcessIdentity,
  isProvenDead,
  isSameProcess,
  type ProcessIdentity,
  sameNamespaces,
} from '@procref/core'
import {
  asOtherUser,
  atEnd,
  commandLine,
  eventually,
  freeze,
  freshDir,
  isRoot,
  processState,
  startChild,
  startProgram,
} from '@procref/testing'
import { expect, test } from 'vitest'
import { darwinReader } from '../dist/process-identity.darwin.js'

const identifier = new URL('./children/identifier.mjs', import.meta.url)

if (process.platform === 'linux') {
  test('a process sees itself as others see it', async () => {
    const child = atEnd(startChild(identifier))
    const { self } = await child.event<{ self: ProcessIdentity }>('identified')
    expect(identify(child.pid)).toEqual(self)
    expect(isProcessIdentity(self)).toBe(true)
    expect(isSameProcess(self)).toBe(true)
    expect(sameNamespaces(self)).toBe(true)
    expect(identify(process.pid)).toEqual(identifySelf())
    expect(self.bootId).toBe(bootId())
  })

  test('a killed process is the same no longer', async () => {
    const child = atEnd(startProgram('sleep', { args: ['300'] }))
    const recorded = identify(child.pid) ?? expect.unreachable()
    child.kill('SIGKILL')
    await child.exited
    expect(isSameProcess(recorded)).toBe(false)
    expect(isProvenDead(recorded)).toBe(true)
    expect(identify(child.pid)).toBeUndefined()
  })

  test.each(['ENOENT', 'EACCES'])(
    'a process that /proc hides (%s) is not proven dead, until there is none',
    async (code) => {
      const child = atEnd(startProgram('sleep', { args: ['300'] }))
      const recorded = identify(child.pid) ?? expect.unreachable()
      expect(isProvenDead(recorded)).toBe(false)
      const { readFileSync } = fs
      const hide = (path: fs.PathLike, encoding: 'utf8') => {
        if (String(path).startsWith(`/proc/${child.pid}/`)) throw Object.assign(new Error(`${code}: hidden`), { code })
        return readFileSync(path, encoding)
      }
      Object.assign(fs, { readFileSync: hide })
      syncBuiltinESMExports()
      try {
        expect([isSameProcess(recorded), isProvenDead(recorded)]).toEqual([false, false])
        child.kill('SIGKILL')
        await child.exited
        expect(isProvenDead(recorded)).toBe(code === 'ENOENT')
      } finally {
        Object.assign(fs, { readFileSync })
        syncBuiltinESMExports()
      }
    },
  )

  test('a stopped process is still the same', async () => {
    const child = atEnd(startProgram('sleep', { args: ['300'] }))
    const recorded = identify(child.pid) ?? expect.unreachable()
    await freeze(child.pid)
    expect(isSameProcess(recorded)).toBe(true)
  })

  test('a zombie is dead, although its pid can be signalled and its start time is the same', async () => {
    // The shell becomes a program that never reaps the child it had.
    const parent = atEnd(startProgram('/bin/sh', { args: ['-c', 'sleep 300 & echo $!; exec tail -f /dev/null'] }))
    const pid = Number(await parent.line())
    const recorded = identify(pid) ?? expect.unreachable()
    await eventually('the parent is tail', () => commandLine(parent.pid)[0] === 'tail')
    process.kill(pid, 'SIGKILL')
    await eventually('it is a zombie', () => processState(pid)?.state === 'Z')
    expect(process.kill(pid, 0)).toBe(true)
    expect(String(processState(pid)?.startTicks)).toBe(recorded.startTicks)
    expect(isSameProcess(recorded)).toBe(false)
    expect(isProvenDead(recorded)).toBe(true)
    expect(identify(pid)).toBeUndefined()
  })

  test('a process whose first thread has ended lives as long as its other threads', async () => {
    // exit(2), not exit_group(2): ends this thread only.
    const program =
      'import ctypes, platform, threading; threading.Thread(target=input).start(); print("started", flush=True); ' +
      'ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[platform.machine()], 0)'
    const child = atEnd(startProgram('python3', { args: ['-c', program] }))
    await child.line()
    const recorded = identify(child.pid) ?? expect.unreachable()
    await eventually('its first thread has ended', () => processState(child.pid)?.state === 'Z')
    expect(isSameProcess(recorded)).toBe(true)
    // Its first thread has no namespaces any more.
    expect(identify(child.pid)).toMatchObject({
      startTicks: recorded.startTicks,
      netNamespace: identifySelf().netNamespace,
    })
    child.end()
    await eventually('it is dead', () => !isSameProcess(recorded))
  })

  test.each([
    ['ENOENT', 'which ends: it has given up its namespaces and is no zombie yet', undefined],
    ['EACCES', 'of another user', ''],
  ])('%s: a process %s', async (code, _what, netNamespace) => {
    const child = atEnd(startProgram('sleep', { args: ['300'] }))
    const { readlinkSync } = fs
    const without = (path: fs.PathLike) => {
      if (String(path).startsWith(`/proc/${child.pid}/`)) throw Object.assign(new Error(`${code}: ${path}`), { code })
      return readlinkSync(path)
    }
    Object.assign(fs, { readlinkSync: without })
    syncBuiltinESMExports()
    try {
      expect(identify(child.pid)?.netNamespace).toBe(netNamespace)
    } finally {
      Object.assign(fs, { readlinkSync })
      syncBuiltinESMExports()
    }
    expect(identify(child.pid)?.netNamespace).toBe(identifySelf().netNamespace)
  })

  test('the same pid with another start, boot or namespace is another process', () => {
    const own = identifySelf()
    expect(isSameProcess({ ...own, startTicks: String(BigInt(own.startTicks) - 1n) })).toBe(false)
    expect(isSameProcess({ ...own, bootId: 'before' })).toBe(false)
    expect(isSameProcess({ ...own, pidNamespace: 'pid:[1]' })).toBe(false)
    expect(isProvenDead({ ...own, startTicks: String(BigInt(own.startTicks) - 1n) })).toBe(true)
    expect(isProvenDead({ ...own, startTicks: '1', bootId: 'before' })).toBe(false)
    expect(isProvenDead({ ...own, startTicks: '1', pidNamespace: 'pid:[1]' })).toBe(false)
    expect(isSameProcess({ ...own, netNamespace: 'net:[1]' })).toBe(true)
    expect(sameNamespaces({ ...own, netNamespace: 'net:[1]' })).toBe(false)
    expect(sameNamespaces({ ...own, pidNamespace: '' })).toBe(false)
    expect(isSameProcess(own)).toBe(true)
  })

  test('a name with spaces and parentheses does not shift the fields', async () => {
    const odd = join(freshDir(), 'a ) Z 1 (b')
    symlinkSync('/bin/sleep', odd)
    const child = atEnd(startProgram(odd, { args: ['300'] }))
    expect(identify(child.pid)?.startTicks).toBe(String(processState(child.pid)?.startTicks))
  })

  test('pids that are none are nobody', () => {
    for (const pid of [0, -1, 1.5, Number.NaN, 2 ** 40]) {
      expect(identify(pid)).toBeUndefined()
      expect(isSameProcess({ ...identifySelf(), pid })).toBe(false)
    }
  })

  test('what is read from a file is an identity only with all of its fields', () => {
    const own = identifySelf()
    expect(isProcessIdentity(JSON.parse(JSON.stringify(own)))).toBe(true)
    for (const key of Object.keys(own)) {
      const { [key as 'pid']: _, ...rest } = own
      expect(isProcessIdentity(rest)).toBe(false)
      expect(isProcessIdentity({ ...rest, [key]: null })).toBe(false)
    }
    expect(isProcessIdentity({ ...own, pid: 0 })).toBe(false)
    expect(isProcessIdentity(null)).toBe(false)
  })

  if (isRoot()) {
    test("another user's process is recognised, its namespaces are unknown to those who may not look", async () => {
      const child = atEnd(startChild(identifier, { ...asOtherUser(), args: [String(process.pid)] }))
      const { self, other } = await child.event<{ self: ProcessIdentity; other: ProcessIdentity }>('identified')
      expect(identify(child.pid)).toEqual(self)
      expect(other).toEqual({ ...identifySelf(), pidNamespace: '', netNamespace: '' })
    })

    test('in a pid namespace of its own a process takes nobody outside for one it knows', async () => {
      const child = atEnd(
        startProgram('unshare', {
          args: ['-fp', '--mount-proc', process.execPath, identifier.pathname],
        }),
      )
      const { self } = await child.event<{ self: ProcessIdentity }>('identified')
      const own = identifySelf()
      expect(self.bootId).toBe(own.bootId)
      expect(self.pidNamespace).not.toBe(own.pidNamespace)
      expect(self.netNamespace).toBe(own.netNamespace)
      expect(sameNamespaces(self)).toBe(false)
      expect(isSameProcess(self)).toBe(false)
      // Even where a process here has the same pid and began in the same tick.
      expect(isSameProcess({ ...own, pidNamespace: self.pidNamespace })).toBe(false)
    })

    test('in a network namespace of its own a process is the same, its ports are not ours', async () => {
      const child = atEnd(startProgram('unshare', { args: ['-n', process.execPath, identifier.pathname] }))
      const { self } = await child.event<{ self: ProcessIdentity }>('identified')
      expect(isSameProcess(self)).toBe(true)
      expect(sameNamespaces(self)).toBe(false)
    })

    test('where /proc shows another pid namespace, nobody is identified: an error says so', async () => {
      const child = atEnd(startProgram('unshare', { args: ['-fp', process.execPath, identifier.pathname] }))
      expect(await child.event('refused')).toMatchObject({
        code: 'PROCREF_IDENTITY_UNAVAILABLE',
        message: expect.stringMatching(/pid namespace.*mount \/proc/is),
      })
    })
  } else {
    console.warn('NOT RUN: identity across users and namespaces, because we are not root')
  }
} else {
  console.warn(`NOT RUN: process identity through /proc, because this is ${process.platform}`)
}

test('on macOS ps tells the start and the state of a process, sysctl the boot', () => {
  const asked: string[] = []
  const reader = darwinReader((file, args) => {
    asked.push([file, ...args].join(' '))
    if (file.endsWith('sysctl')) return '5A0F2A5E-1111-2222-3333-444455556666\n'
    if (args.includes('7')) return 'Ss   Mon Nov  3 09:05:01 2025    \n'
    if (args.includes('8')) return 'Z    Mon Nov  3 09:05:01 2025    \n'
    return undefined
  })
  expect(reader.identify(7)).toEqual({
    pid: 7,
    startTicks: 'Mon Nov 3 09:05:01 2025',
    bootId: '5A0F2A5E-1111-2222-3333-444455556666',
    pidNamespace: 'host',
    netNamespace: 'host',
  })
  expect(reader.identify(8)).toBeUndefined()
  expect(reader.identify(9)).toBeUndefined()
  expect(asked).toContain('/usr/sbin/sysctl -n kern.bootsessionuuid')
  expect(asked).toContain('/bin/ps -o stat=,lstart= -p 7')
})
