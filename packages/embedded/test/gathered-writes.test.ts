import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
// Not part of the public interface.
import { GatheredWrites } from '../dist/gathered-writes.js'

/** A stream that tells how many pieces each of its system calls would have had. */
function recorded(): { stream: Writable; pieces: number[]; next: () => Promise<void> } {
  const pieces: number[] = []
  let told = (): void => {}
  const stream = new Writable({
    writev(chunks, done) {
      pieces.push(chunks.length)
      done()
      told()
    },
  })
  return { stream, pieces, next: () => new Promise((resolve) => (told = resolve)) }
}

test('answers leave together once as many are written as are still to come', async () => {
  const { stream, pieces, next } = recorded()
  const writes = new GatheredWrites(stream)
  const left = next()
  for (const toCome of [7, 6, 5, 4]) {
    writes.hold()
    stream.write('answer')
    writes.wrote(toCome)
  }
  await left
  expect(pieces).toEqual([4])
})

test('the last answer takes with it what waits, and what is written in the same turn', async () => {
  const { stream, pieces, next } = recorded()
  const writes = new GatheredWrites(stream)
  const left = next()
  for (const toCome of [1, 0]) {
    writes.hold()
    stream.write('answer')
    writes.wrote(toCome)
  }
  await left
  expect(pieces).toEqual([2])
})

test('an answer leaves although the others do not come, again and again', async () => {
  const { stream, pieces, next } = recorded()
  const writes = new GatheredWrites(stream)
  for (let n = 1; n <= 3; n++) {
    const left = next()
    writes.hold()
    stream.write('answer')
    writes.wrote(100)
    await left
    expect(pieces).toEqual(Array(n).fill(1))
  }
})

test('what nobody holds back leaves at once', () => {
  const { stream, pieces } = recorded()
  const writes = new GatheredWrites(stream)
  stream.write('answer')
  writes.wrote(5)
  expect(pieces).toEqual([1])
})
