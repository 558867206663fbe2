import { spawnSync } from 'node:child_process'
import { afterEach, describe, expect, test, vi } from 'vitest'
// Not part of the public interface.
import { Collector, smallFootprint } from '../../dist/guardian/small-footprint.js'

const MINUTE_MS = 60_000

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('a collection of garbage', () => {
  function collecting(): { readonly collector: Collector; readonly gc: ReturnType<typeof vi.fn> } {
    vi.useFakeTimers({ toFake: ['performance'] })
    const gc = vi.fn()
    vi.stubGlobal('gc', gc)
    return { collector: new Collector(), gc }
  }

  test('is asked for every ten minutes, however often it beats', () => {
    const { collector, gc } = collecting()
    for (let n = 0; n < 40 * 12; n++) {
      vi.advanceTimersByTime(5_000)
      collector.beat()
    }
    expect(gc).toHaveBeenCalledTimes(4)
  })

  test('is not asked for before', () => {
    const { collector, gc } = collecting()
    vi.advanceTimersByTime(10 * MINUTE_MS - 1)
    collector.beat()
    expect(gc).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    collector.beat()
    expect(gc).toHaveBeenCalledOnce()
  })
})

test('Node takes what it is told, and can be asked for a collection', () => {
  const program = 'console.log(typeof globalThis.gc)'
  const { stdout, stderr, status } = spawnSync(process.execPath, [...smallFootprint(), '-e', program], {
    encoding: 'utf8',
  })
  expect({ stdout, stderr, status }).toEqual({ stdout: 'function\n', stderr: '', status: 0 })
})
