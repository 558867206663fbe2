import { expect, test } from 'vitest'
import { FairTurns } from '../src/fair-turns.ts'
import type { Turn } from '../src/short-calls.ts'

/** The order in which calls start, each leaving when told to. */
class Calls {
  readonly turns: FairTurns
  readonly started: string[] = []
  readonly running: Turn[] = []

  constructor(places: number) {
    this.turns = new FairTurns({ all: places, ofOne: places })
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
  const turns = new FairTurns({ all: 2, ofOne: 2 })
  const first = turns.enter('a') as Turn
  expect(turns.enter('a')).not.toBeInstanceOf(Promise)
  const third = turns.enter('b')
  expect(third).toBeInstanceOf(Promise)
  turns.leave(first)
  turns.leave(await third)
})

test('calls that last give their places away, and take none of others when they end', async () => {
  const turns = new FairTurns({ all: 1, ofOne: 1 })
  const endless: Turn[] = []
  for (let i = 0; i < 5; i++) endless.push(await turns.enter('sleeper'))
  const short = await turns.enter('other')
  for (const turn of endless) turns.leave(turn)
  expect(turns.enter('other')).toBeInstanceOf(Promise)
  turns.leave(short)
})

test('one caller has a part of the places while there are others, and all of them when it is alone', async () => {
  const turns = new FairTurns({ all: 4, ofOne: 2 })
  const alone = [turns.enter('busy'), turns.enter('busy'), turns.enter('busy')] as Turn[]
  expect(alone).not.toContainEqual(expect.any(Promise))
  const other = turns.enter('other') as Turn
  for (const turn of alone) turns.leave(turn)
  // There is room for one more, but not of the same caller.
  const two = [turns.enter('busy'), turns.enter('busy')] as Turn[]
  expect(two).not.toContainEqual(expect.any(Promise))
  const third = turns.enter('busy')
  expect(third).toBeInstanceOf(Promise)
  const another = turns.enter('another')
  expect(another).not.toBeInstanceOf(Promise)
  for (const turn of [other, another as Turn, two[0] as Turn]) turns.leave(turn)
  turns.leave(await third)
  turns.leave(two[1] as Turn)
})

test('a caller that is alone again has all places again', async () => {
  const turns = new FairTurns({ all: 3, ofOne: 1 })
  turns.leave(turns.enter('other') as Turn)
  const first = turns.enter('busy') as Turn
  const rest = [turns.enter('busy'), turns.enter('busy')]
  expect(rest).toEqual([expect.any(Promise), expect.any(Promise)])
  // The first one gives its place away as it lasts, and the others are started beside each other.
  const started = await Promise.all(rest)
  for (const turn of [first, ...started]) turns.leave(turn)
})
