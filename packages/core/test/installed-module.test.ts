import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import {
  type Descriptor,
  descriptorModule,
  errnoOf,
  installedModule,
  isBundled,
  offerFactories,
  ownFile,
  rebuildFromDescriptor,
} from '@procref/core'
import { freshDir } from '@procref/testing'
import { expect, test } from 'vitest'

/** The URL of a module below a folder with this package.json. */
function moduleIn(manifest: string, path = 'dist/deep/own.js'): string {
  const folder = freshDir()
  writeFileSync(join(folder, 'package.json'), manifest)
  const file = join(folder, path)
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, '')
  return pathToFileURL(file).href
}

test('a module of the installed package is found from another one of it', () => {
  const own = moduleIn('{ "name": "@procref/some" }')
  expect(installedModule('@procref/some', own, '../index.js')).toBe(new URL('../index.js', own).href)
  expect(descriptorModule('@procref/some', own, '../index.js')).toBe(new URL('../index.js', own).href)
})

test.each([
  ['an application’s bundle', () => moduleIn('{ "name": "an-application" }')],
  ['a bundle below a package.json that says only its type', () => moduleIn('{ "type": "commonjs" }')],
  ['a bundle below a package.json that cannot be read', () => moduleIn('{')],
  ['a place that is gone', () => pathToFileURL(join(freshDir(), 'gone/dist/own.js')).href],
  ['a bundle of CommonJS, without import.meta', () => undefined],
  ['no file', () => 'data:text/javascript,0'],
])('%s is not the package, whatever lies beside it', (_what, place) => {
  const own = place()
  expect(installedModule('@procref/some', own, './index.js')).toBe(undefined)
  const module = descriptorModule('@procref/some', own)
  expect(module).toBe('bundle:@procref/some')
  expect(isBundled(module)).toBe(true)
})

test('the file that code runs from exists, also where import.meta.url names another machine’s, or nothing', () => {
  const own = moduleIn('{}')
  expect(ownFile(own)).toBe(own)
  for (const url of ['file:///built/elsewhere/own.js', undefined]) {
    expect(existsSync(fileURLToPath(ownFile(url)))).toBe(true)
  }
})

test('what is part of a bundle is rebuilt from what the bundle offers, and only by that', async () => {
  const descriptor: Descriptor = { module: 'bundle:@procref/some', factory: 'madeHere', options: { a: 1 } }
  await expect(rebuildFromDescriptor(descriptor)).rejects.toThrow(
    expect.objectContaining({
      code: 'PROCREF_DESCRIPTOR_UNUSABLE',
      message: expect.stringMatching(/guardian\(\{ madeHere \}\).*keep @procref\/some out of the bundle/),
    }),
  )
  offerFactories({ madeHere: (options: unknown) => ({ made: options }) })
  expect(await rebuildFromDescriptor(descriptor)).toEqual({ made: { a: 1 } })
  const imported = { ...descriptor, module: moduleIn('{}') }
  await expect(rebuildFromDescriptor(imported)).rejects.toThrow(/exports no such function/)
})

test('what is offered has to be functions', () => {
  expect(() => offerFactories({ native: undefined as never })).toThrow(/native is undefined, not a function/)
})

test('an error of another context has its errno all the same', () => {
  const error = runInContext("Object.assign(new Error('no'), { code: 'ENOENT' })", createContext({}))
  expect(error instanceof Error).toBe(false)
  expect(errnoOf(error)).toBe('ENOENT')
})
