import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Descriptor, rebuildFromDescriptor } from '@procref/core'
import { freshDir } from '@procref/testing'
import { expect, test } from 'vitest'

/** Describes `factory` of a module with this source. */
function describing(source: string, factory = 'make'): Descriptor {
  const path = join(freshDir(), 'made.mjs')
  writeFileSync(path, source)
  return { module: pathToFileURL(path).href, factory, options: { a: [1, 'two', null] } }
}

function unusable(problem: RegExp) {
  return expect.objectContaining({ code: 'PROCREF_DESCRIPTOR_UNUSABLE', message: expect.stringMatching(problem) })
}

test('the module is imported and its factory called with the options', async () => {
  const descriptor = describing('export function make(options) { return { made: options } }')
  expect(await rebuildFromDescriptor(descriptor)).toEqual({ made: { a: [1, 'two', null] } })
})

test('a factory that takes its time is waited for', async () => {
  expect(await rebuildFromDescriptor(describing('export const make = async () => 7'))).toBe(7)
})

test('a module that is gone is named, with the reason', async () => {
  const descriptor = { module: pathToFileURL(join(freshDir(), 'gone.mjs')).href, factory: 'make', options: null }
  await expect(rebuildFromDescriptor(descriptor)).rejects.toThrow(unusable(/gone\.mjs.*cannot be loaded/))
  await expect(rebuildFromDescriptor(descriptor)).rejects.toMatchObject({ descriptor, cause: expect.any(Error) })
})

test('a module that needs something which is gone, or does not parse, is named', async () => {
  for (const source of ["import 'no-such-package'", 'export const make = (']) {
    await expect(rebuildFromDescriptor(describing(source))).rejects.toThrow(unusable(/cannot be loaded/))
  }
})

test('a missing export, and one that is no function, are named', async () => {
  for (const source of ['', 'export const make = 3', 'export default () => 1']) {
    await expect(rebuildFromDescriptor(describing(source))).rejects.toThrow(unusable(/exports no such function/))
  }
})

test.each(['data:text/javascript,export const make = () => 1', 'https://example.org/x.mjs', '/x.mjs', './x.mjs', ''])(
  '%j is no file: URL, and not imported',
  async (module) => {
    await expect(rebuildFromDescriptor({ module, factory: 'make', options: null })).rejects.toThrow(
      unusable(/not a file: URL/),
    )
  },
)

test('what the factory throws passes through', async () => {
  const descriptor = describing("export function make() { throw new RangeError('mine') }")
  await expect(rebuildFromDescriptor(descriptor)).rejects.toThrow(RangeError)
})
