import { expect, onTestFinished, test, vi } from 'vitest'
import type { RunningServer } from '../../dist/driver.js'
import { Health } from '../../dist/guardian/health.js'

/** Longer than any question may take. */
const LONG_MS = 60_000

function healthOf(
  healthy: RunningServer['healthy'],
  state = (): string => 'S (sleeping)',
): Health & { news: string[] } {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const server: RunningServer = {
    pid: 1,
    ended: new Promise(() => {}),
    ready: async () => ({}),
    ...(healthy && { healthy }),
    terminate: () => {},
    kill: () => expect.unreachable('nobody is ended for health'),
  }
  const news: string[] = []
  const health = new Health(server, state, () => news.push(health.state))
  return Object.assign(health, { news })
}

async function ask(health: Health, waitMs = 0): Promise<void> {
  health.ask()
  await vi.advanceTimersByTimeAsync(waitMs)
}

test('one missed answer is nothing, the second in a row is news, and so is the next answer', async () => {
  const answers = [false, true, false, false, false, true, true]
  const health = healthOf(async () => {
    if (answers.shift() !== true) throw new Error('GET /health answers 503')
  })
  await ask(health)
  await ask(health)
  await ask(health)
  expect(health.news).toEqual([])
  await ask(health)
  await ask(health)
  expect(health.news).toEqual(['unresponsive'])
  expect(health.seen).toBe('GET /health answers 503')
  await ask(health)
  await ask(health)
  expect(health.news).toEqual(['unresponsive', 'serving'])
})

test('asking returns at once, and an answer that does not come is given up', async () => {
  const asked: AbortSignal[] = []
  const health = healthOf(({ signal }) => {
    asked.push(signal)
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  })
  await ask(health, LONG_MS)
  await ask(health, LONG_MS)
  expect(asked.map((signal) => signal.aborted)).toEqual([true, true])
  expect(health.news).toEqual(['unresponsive'])
  expect(health.seen).toMatch(/^no answer within \d+ ms$/)
})

test('a driver that never settles is asked once, and counts as silent', async () => {
  let asked = 0
  const health = healthOf(() => {
    asked++
    return new Promise(() => {})
  })
  await ask(health, LONG_MS)
  await ask(health, LONG_MS)
  await ask(health, LONG_MS)
  expect(asked).toBe(1)
  expect(health.news).toEqual(['unresponsive'])
})

test('a stopped process is asked nothing, also where it could not be asked', async () => {
  let state = 'T (stopped)'
  for (const healthy of [undefined, () => expect.unreachable('it was asked')]) {
    state = 'T (stopped)'
    const health = healthOf(healthy, () => state)
    await ask(health)
    await ask(health)
    expect(health.news).toEqual(['unresponsive'])
    expect(health.seen).toContain('T (stopped)')
    if (healthy !== undefined) continue
    state = 'S (sleeping)'
    await ask(health)
    expect(health.news).toEqual(['unresponsive', 'serving'])
  }
})

test('what comes of a question after the end of serving counts no more', async () => {
  const health = healthOf(
    ({ signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  )
  await ask(health, LONG_MS)
  health.ask()
  health.close()
  await vi.advanceTimersByTimeAsync(LONG_MS)
  expect(health.news).toEqual([])
})
