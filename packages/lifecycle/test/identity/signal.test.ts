import { identify, identifySelf, isSameProcess, type ProcessTable } from '@procref/core'
import { atEnd, commandLine, eventually, isAlive, processState, startProgram } from '@procref/testing'
import { expect, test, vi } from 'vitest'
import { signalSame } from '../../dist/identity/signal.js'

if (process.platform === 'linux') {
  test('exactly the recorded process is signalled', async () => {
    const child = atEnd(startProgram('sleep', { args: ['300'] }))
    const recorded = identify(child.pid) ?? expect.unreachable()
    expect(signalSame(recorded, 'SIGTERM')).toBe(true)
    expect(await child.exited).toEqual({ code: null, signal: 'SIGTERM' })
    expect(signalSame(recorded, 'SIGTERM')).toBe(false)
  })

  test('whoever has the pid now is left alone', async () => {
    const child = atEnd(startProgram('sleep', { args: ['300'] }))
    const recorded = identify(child.pid) ?? expect.unreachable()
    const kill = vi.spyOn(process, 'kill')
    try {
      for (const change of [{ startTicks: '1' }, { bootId: 'before' }, { pidNamespace: 'pid:[1]' }]) {
        expect(signalSame({ ...recorded, ...change }, 'SIGKILL')).toBe(false)
      }
      expect(kill).not.toHaveBeenCalled()
    } finally {
      kill.mockRestore()
    }
    expect(isAlive(child.pid)).toBe(true)
  })

  test('pid 1, this process and process groups are never signalled', () => {
    const kill = vi.spyOn(process, 'kill').mockReturnValue(true)
    try {
      // As if it had been recorded: its namespaces may not be ours to see.
      const init = { ...identifySelf(), pid: 1, startTicks: identify(1)?.startTicks ?? expect.unreachable() }
      expect(isSameProcess(init)).toBe(true)
      expect(signalSame(init, 'SIGKILL')).toBe(false)
      for (const pid of [0, -1, -process.pid]) expect(signalSame({ ...identifySelf(), pid }, 'SIGKILL')).toBe(false)
      expect(signalSame(identifySelf(), 'SIGKILL')).toBe(false)
      expect(kill).not.toHaveBeenCalled()
    } finally {
      kill.mockRestore()
    }
  })

  test('a zombie is not signalled', async () => {
    const parent = atEnd(startProgram('/bin/sh', { args: ['-c', 'sleep 300 & echo $!; exec tail -f /dev/null'] }))
    const pid = Number(await parent.line())
    // Before that the parent is a shell, which would collect its child.
    await eventually('the parent collects no children', () => commandLine(parent.pid)[0] === 'tail')
    const recorded = identify(pid) ?? expect.unreachable()
    expect(signalSame(recorded, 'SIGKILL')).toBe(true)
    await eventually('it is a zombie', () => processState(pid)?.state === 'Z')
    expect(signalSame(recorded, 'SIGKILL')).toBe(false)
  })

  test("with a backend's process table that one signals, and nobody else does", () => {
    const recorded = identifySelf()
    const asked: unknown[] = []
    const kill = vi.spyOn(process, 'kill')
    try {
      for (const answer of [true, false]) {
        const signalled = signalSame(
          recorded,
          'SIGTERM',
          tableThat((...args) => {
            asked.push(args)
            return answer
          }),
        )
        expect(signalled).toBe(answer)
      }
      expect(kill).not.toHaveBeenCalled()
    } finally {
      kill.mockRestore()
    }
    expect(asked).toEqual([
      [recorded, 'SIGTERM'],
      [recorded, 'SIGTERM'],
    ])
  })

  test('a process table on a kernel without pidfds is replaced by our own way; its other errors pass', async () => {
    const child = atEnd(startProgram('sleep', { args: ['300'] }))
    const recorded = identify(child.pid) ?? expect.unreachable()
    const failing = (code: string) =>
      tableThat(() => {
        throw Object.assign(new Error(code), { code })
      })
    expect(() => signalSame(recorded, 'SIGTERM', failing('EPERM'))).toThrow('EPERM')
    expect(isAlive(child.pid)).toBe(true)
    expect(signalSame({ ...recorded, startTicks: '1' }, 'SIGTERM', failing('ENOSYS'))).toBe(false)
    expect(signalSame(recorded, 'SIGTERM', failing('ENOSYS'))).toBe(true)
    expect(await child.exited).toEqual({ code: null, signal: 'SIGTERM' })
  })
} else {
  console.warn(`NOT RUN: signals by identity, because this is ${process.platform}`)
}

function tableThat(signal: ProcessTable['signalSame']): ProcessTable {
  return {
    signalSame: signal,
    startTicksOf: () => undefined,
    executableOf: () => undefined,
    bootId: () => '',
    namespaceOf: () => '',
  }
}
