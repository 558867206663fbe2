import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freshDir } from '@procref/testing'
import { expect, test } from 'vitest'
import { Leftovers } from '../dist/leftovers.js'

/** A place that all share. */
function place(): { readonly things: Set<string>; begin(): Leftovers; readonly folder: string } {
  const things = new Set(['of somebody else'])
  const folder = freshDir()
  return { things, folder, begin: () => new Leftovers('things', () => [...things], folder) }
}

test('what a file’s tests have left is removed after them, what was there before is not', () => {
  const { things, begin, folder } = place()
  const only = begin()
  things.add('left')
  expect(only.end()).toEqual(['left'])
  expect(readdirSync(folder)).toEqual([])
})

test('while another file’s tests go on nothing is removed, and then what is left of both, whoever began first', () => {
  for (const endsFirst of [0, 1]) {
    const { things, begin } = place()
    const one = begin()
    things.add('of the one')
    const both = [one, begin()]
    things.add('of the other')
    expect(both[endsFirst]?.end()).toEqual([])
    expect(both[1 - endsFirst]?.end()).toEqual(['of the one', 'of the other'])
  }
})

test('the mark of a run that was killed holds nobody up, and is removed', () => {
  const { things, begin, folder } = place()
  // This pid, and an earlier start.
  writeFileSync(join(folder, `procref-test-things-left-by-${process.pid}-1-1`), '[]')
  const next = begin()
  things.add('left')
  expect(next.end()).toEqual(['left'])
  expect(readdirSync(folder)).toEqual([])
})
