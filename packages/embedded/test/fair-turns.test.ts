import { expect, test } from 'vitest'
import { FairTurns } from '../src/fair-turns.ts'
import type { Turn } from '../src/short-calls.ts'

/** The order in which calls start, each leaving when told to. */
class Calls {
  readonly turns: FairTurns
  readonly started: string[] = []
  readonly running: Turn[] = []

  constructor(places: number) {
    this.turns = new FairTurns({ all: places, few: places })
  }

  enter(caller: string, name: string): void {
    void Promise.resolve(this.turns.enter(caller)).then((turn) => {
      this.started.push(name)
      this.running.push(turn)
    })
  }

  /** The one that started first ends. */
  async end(): Promise<void> {
    await new Promise(setImmediate)
    const turn = this.running.shift()
    if (turn !== undefined) this.turns.leave(turn)
    await new Promise(setImmediate)
  }
}

test('each caller in turn has one started, in the order in which its own came', async () => {
  const calls = new Calls(1)
  for (const name of ['a1', 'a2', 'a3', 'a4', 'b1', 'c1', 'b2']) calls.enter(name.slice(0, 1), name)
  for (let i = 0; i < 7; i++) await calls.end()
  expect(calls.started).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4'])
})

test('no more are started at once than there are places, while they are short', async () => {
  const turns = new FairTurns({ all: 2, few: 2 })
  const first = turns.enter('a') as Turn
  expect(turns.enter('a')).not.toBeInstanceOf(Promise)
  const third = turns.enter('b')
  expect(third).toBeInstanceOf(Promise)
  turns.leave(first)
  turns.leave(await third)
})

test('calls that last give their places away, and take none of others when they end', async () => {
  const turns = new FairTurns({ all: 1, few: 1 })
  const endless: Turn[] = []
  for (let i = 0; i < 5; i++) endless.push(await turns.enter('sleeper'))
  const short = await turns.enter('other')
  for (const turn of endless) turns.leave(turn)
  expect(turns.enter('other')).toBeInstanceOf(Promise)
  turns.leave(short)
})

test('while somebody asks one thing after the other, those who ask many at once have few places', async () => {
  const turns = new FairTurns({ all: 5, few: 2 })
  const ask = (): void => turns.leave(turns.enter('asks') as Turn)
  ask()
  const busy = [turns.enter('busy'), turns.enter('busy'), turns.enter('busy')]
  expect(busy.map((turn) => turn instanceof Promise)).toEqual([false, false, true])
  // Who has none gets one beside them.
  ask()
  const other = turns.enter('other')
  expect(other).not.toBeInstanceOf(Promise)
  turns.leave(busy[0] as Turn)
  turns.leave(other as Turn)
  turns.leave(busy[1] as Turn)
  turns.leave(await (busy[2] as Promise<Turn>))
})

test('those who all ask many at once share all places', async () => {
  const turns = new FairTurns({ all: 6, few: 1 })
  const turn = (caller: string): Turn => {
    const entered = turns.enter(caller)
    if (entered instanceof Promise) throw new Error(`${caller} has to wait`)
    return entered
  }
  const all = ['a', 'a', 'b', 'b', 'a', 'b'].map(turn)
  for (const entered of all) turns.leave(entered)
  // That one of them has nothing at work for a moment does not make it one who asks one thing after the other.
  for (const entered of ['a', 'a', 'b', 'b', 'a', 'b'].map(turn)) turns.leave(entered)
})

test('who asks many at once has all places again once nobody else asks', async () => {
  const turns = new FairTurns({ all: 3, few: 1 })
  turns.leave(turns.enter('asks') as Turn)
  const first = turns.enter('busy') as Turn
  const rest = [turns.enter('busy'), turns.enter('busy')]
  expect(rest).toEqual([expect.any(Promise), expect.any(Promise)])
  // The first one gives its place away as it lasts, and so does the next.
  const started = await Promise.all(rest)
  for (const turn of [first, ...started]) turns.leave(turn)
})
