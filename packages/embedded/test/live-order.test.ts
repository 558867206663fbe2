import { surrealBinary } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { bothServers, type Kind } from './both-servers.ts'
import { type Message, RawClient } from './raw-client.ts'

const serverOf = bothServers()
const CHANGES = 3_000

const numberOf = ({ result }: Message): number => (result as { result: { n: number } }).result.n

/** Both tell of each transaction in a task of its own. How often that shows is printed: it is what the README speaks of. */
async function everyChangeOnce(kind: Kind): Promise<void> {
  await using client = await RawClient.root(serverOf(kind).port)
  await client.query('DEFINE TABLE counted')
  await client.result('live', ['counted'])
  for (let n = 0; n < CHANGES; n++) await client.query('CREATE counted SET n = $n', { n })
  const told: number[] = []
  while (told.length < CHANGES) told.push(numberOf(await client.next(`change ${told.length + 1} of ${CHANGES}`)))
  expect(told.toSorted((a, b) => a - b)).toEqual(Array.from({ length: CHANGES }, (_, n) => n))
  const late = told.filter((n, i) => n < (told[i - 1] ?? 0)).length
  console.log(`${kind}: of ${CHANGES} changes made one after the other, ${late} were told after the next one`)
}

describe('a live query is told of every change once, if not always in the order in which they were made', () => {
  test('by the embedded server', () => everyChangeOnce('embedded'))
  test.runIf(surrealBinary() !== undefined)('by the real one', () => everyChangeOnce('real'))
})
