import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { eachAtOnce } from '../src/each-at-once.ts'

test('as many as told go on at the same time, and the results are in the order of the items', async () => {
  let going = 0
  let most = 0
  const results = await eachAtOnce([5, 1, 3, 2, 4], 2, async (turns, index) => {
    going++
    most = Math.max(most, going)
    for (let n = 0; n < turns; n++) await turn()
    going--
    return `${index}: ${turns}`
  })
  expect(results).toEqual(['0: 5', '1: 1', '2: 3', '3: 2', '4: 4'])
  expect(most).toBe(2)
})

test('when one rejects those that were begun end first, and no other is begun', async () => {
  const ended: string[] = []
  const run = eachAtOnce(['fails', 'takes longer', 'never'], 2, async (name) => {
    if (name === 'fails') throw new Error('it failed')
    for (let n = 0; n < 5; n++) await turn()
    ended.push(name)
  })
  await expect(run).rejects.toThrow('it failed')
  expect(ended).toEqual(['takes longer'])
})

test('of nothing there is nothing', async () => {
  expect(await eachAtOnce([], 3, async () => 1)).toEqual([])
})
