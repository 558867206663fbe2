import { expect, test } from 'vitest'
import { FairTurns, type Turn } from '../src/fair-turns.ts'

/** The order in which calls start, each leaving when told to. */
class Calls {
  readonly turns: FairTurns
  readonly started: string[] = []
  readonly running: Turn[] = []

  constructor(places: number) {
    this.turns = new FairTurns(places)
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
  const turns = new FairTurns(2)
  const first = turns.enter('a') as Turn
  expect(turns.enter('a')).not.toBeInstanceOf(Promise)
  const third = turns.enter('b')
  expect(third).toBeInstanceOf(Promise)
  turns.leave(first)
  turns.leave(await third)
})

test('calls that last give their places away, and take none of others when they end', async () => {
  const turns = new FairTurns(1)
  const endless: Turn[] = []
  for (let i = 0; i < 5; i++) endless.push(await turns.enter('sleeper'))
  const short = await turns.enter('other')
  for (const turn of endless) turns.leave(turn)
  expect(turns.enter('other')).toBeInstanceOf(Promise)
  turns.leave(short)
})
