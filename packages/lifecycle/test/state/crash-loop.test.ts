import { atEnd, startChild } from '@procref/testing'
import { expect, test } from 'vitest'
import { afterCleanStop, afterStart, isCrashLoop, type StartMark, startMark } from '../../dist/crash-loop.js'

const child = new URL('../children/start-mark.mjs', import.meta.url)
const limit = { starts: 5, withinMs: 60_000 }
const at = (monotonicMs: number, bootId: string = 'boot'): StartMark => ({ bootId, monotonicMs })

function started(times: readonly number[]): readonly StartMark[] {
  return times.reduce<readonly StartMark[]>((marks, time) => afterStart(marks, at(time)), [])
}

test('five starts in 60 s without a clean stop are a crash loop, four are not', () => {
  expect(isCrashLoop(started([0, 10_000, 20_000, 30_000]), at(40_000), limit)).toBe(false)
  expect(isCrashLoop(started([0, 10_000, 20_000, 30_000, 40_000]), at(50_000), limit)).toBe(true)
})

test('five starts spread over more than 60 s are none', () => {
  expect(isCrashLoop(started([0, 20_000, 40_000, 60_000, 80_000]), at(90_000), limit)).toBe(false)
  expect(isCrashLoop(started([0, 1, 2, 3, 4]), at(60_000), limit)).toBe(true)
  expect(isCrashLoop(started([0, 1, 2, 3, 4]), at(60_001), limit)).toBe(false)
})

test('a clean stop ends the count', () => {
  const marks = afterStart(afterCleanStop(), at(50_000))
  expect(marks).toEqual([at(50_000)])
  expect(isCrashLoop(marks, at(50_001), limit)).toBe(false)
})

test('starts of another boot, and of a clock that is ahead, do not count and are forgotten', () => {
  const marks = [at(1, 'before'), at(2, 'before'), at(900_000), at(900_001), at(3), at(4)]
  expect(isCrashLoop(marks, at(5), { starts: 3, withinMs: 60_000 })).toBe(false)
  expect(isCrashLoop(marks, at(5), { starts: 2, withinMs: 60_000 })).toBe(true)
  expect(afterStart(marks, at(5))).toEqual([at(3), at(4), at(5)])
})

test('the record of starts does not grow for ever', () => {
  const marks = started(Array.from({ length: 1000 }, (_, i) => i))
  expect(marks).toHaveLength(100)
  expect(marks.at(-1)).toEqual(at(999))
})

test('the marks of different processes are on one clock', async () => {
  const before = startMark()
  const other = atEnd(startChild(child))
  const between = await other.event<{ mark: StartMark }>('marked')
  const after = startMark()
  expect(between.mark.bootId).toBe(before.bootId)
  expect(after.bootId).toBe(before.bootId)
  expect(between.mark.monotonicMs).toBeGreaterThanOrEqual(before.monotonicMs)
  expect(between.mark.monotonicMs).toBeLessThanOrEqual(after.monotonicMs)
})
