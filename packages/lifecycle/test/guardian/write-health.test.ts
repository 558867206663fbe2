import { expect, onTestFinished, test, vi } from 'vitest'
import type { RunningServer } from '../../dist/driver.js'
import { WriteHealth } from '../../dist/guardian/write-health.js'

/** Longer than any question may take. */
const LONG_MS = 60_000
const ROOM = 100 << 20
const LEAST = 8 << 20

interface Watched {
  readonly health: WriteHealth
  /** How often it was asked to commit. */
  asked: number
  free: number
  refusal: string | undefined
  readonly news: string[]
}

function watch(commits: RunningServer['commits']): Watched {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const server: RunningServer = {
    pid: 1,
    ended: new Promise(() => {}),
    ready: async () => ({}),
    refusedWrite: () => {
      const { refusal } = watched
      watched.refusal = undefined
      return refusal
    },
    ...(commits && {
      commits: (options) => {
        watched.asked++
        return commits(options)
      },
    }),
    terminate: () => {},
    kill: () => expect.unreachable('nobody is ended here'),
  }
  const news: string[] = []
  const health = new WriteHealth(
    server,
    () => ({ free: watched.free, files: 1_000, isLow: watched.free < LEAST, needed: () => 2 * LEAST }),
    () => news.push(health.stuck ?? 'fine'),
  )
  const watched: Watched = { health, asked: 0, free: ROOM, refusal: undefined, news }
  return watched
}

async function ask({ health }: Watched, waitMs = 0): Promise<void> {
  health.ask()
  await vi.advanceTimersByTimeAsync(waitMs)
}

test('without a suspicion nothing is ever written', async () => {
  const watched = watch(async () => {})
  for (let n = 0; n < 10; n++) await ask(watched)
  expect([watched.asked, watched.news]).toEqual([0, []])
})

test('a server that commits after a refusal is fine, and is asked once', async () => {
  const watched = watch(async () => {})
  watched.refusal = 'commit failed'
  for (let n = 0; n < 3; n++) await ask(watched)
  expect([watched.asked, watched.health.stuck, watched.news]).toEqual([1, undefined, []])
})

test('one that does not is stuck, with both reasons, and is asked no more', async () => {
  const watched = watch(async () => {
    throw new Error('No space left on device')
  })
  watched.refusal = 'commit failed'
  for (let n = 0; n < 3; n++) await ask(watched)
  expect(watched.news).toEqual(['commit failed; and now: No space left on device'])
  expect(watched.asked).toBe(1)
})

test('one that does not answer is stuck as well, and asking returns at once', async () => {
  const watched = watch(
    ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  )
  watched.refusal = 'IO error'
  await ask(watched)
  await ask(watched)
  expect([watched.asked, watched.news]).toEqual([1, []])
  await vi.advanceTimersByTimeAsync(LONG_MS)
  expect(watched.news).toEqual([expect.stringMatching(/^IO error; and now: no answer within \d+ ms$/)])
})

test('as long as there is no room nobody is asked: to read is all that can be done', async () => {
  const watched = watch(async () => {
    throw new Error('No space left on device')
  })
  watched.free = 4_096
  watched.refusal = 'IO error'
  for (let n = 0; n < 3; n++) await ask(watched)
  expect(watched.asked).toBe(0)
  watched.free = ROOM
  await ask(watched)
  expect(watched.news).toEqual(['IO error; and now: No space left on device'])
})

test('a disk that was full is a suspicion, whatever the server says', async () => {
  const watched = watch(async () => {})
  watched.free = 0
  await ask(watched)
  watched.free = ROOM
  await ask(watched)
  expect(watched.asked).toBe(1)
})

test('a disk that is full again while it is asked makes it not stuck, but asked again', async () => {
  const watched = watch(async () => {
    if (watched.asked > 1) return
    watched.free = 0
    throw new Error('No space left on device')
  })
  watched.refusal = 'IO error'
  await ask(watched)
  expect(watched.health.stuck).toBeUndefined()
  watched.free = ROOM
  await ask(watched)
  expect([watched.asked, watched.health.stuck]).toEqual([2, undefined])
})

test('the end of interest ends the question', async () => {
  let given: AbortSignal | undefined
  const watched = watch(({ signal }) => {
    given = signal
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  })
  watched.refusal = 'IO error'
  await ask(watched)
  watched.health.close()
  await vi.advanceTimersByTimeAsync(LONG_MS)
  expect([given?.aborted, watched.health.stuck, watched.news]).toEqual([true, undefined, []])
})

test('a server that cannot be asked is never called stuck', async () => {
  const watched = watch(undefined)
  watched.refusal = 'IO error'
  await ask(watched)
  expect(watched.health.stuck).toBeUndefined()
})

test('nor is one asked that could not open its database again, and what was found is looked at again', async () => {
  const watched = watch(async () => {
    throw new Error('No space left on device')
  })
  watched.refusal = 'IO error'
  watched.free = LEAST
  await ask(watched)
  expect(watched.asked).toBe(0)
  watched.free = ROOM
  await ask(watched)
  expect(watched.health.stuck).toBeDefined()
  watched.free = LEAST
  await ask(watched)
  expect(watched.health.stuck).toBeUndefined()
  watched.free = ROOM
  await ask(watched)
  expect([watched.asked, watched.news.length]).toEqual([2, 2])
})
