// Says what is told of modules when no descriptor is left to look at them with. args: a module.
import { pathToFileURL } from 'node:url'
import { descriptorModule, loadTrouble, rebuildFromDescriptor } from '@procref/core'
import { say, useUpDescriptors } from '@procref/testing/child'

const [, , path] = process.argv
const module = pathToFileURL(path).href
useUpDescriptors()
let described
try {
  described = descriptorModule('@procref/some', module)
} catch ({ code, path }) {
  described = { code, path }
}
const rebuilt = await rebuildFromDescriptor({ module, factory: 'make', options: null }).catch(({ code }) => ({ code }))
const missing = loadTrouble(
  Object.assign(new Error("Cannot find package 'some'"), { code: 'MODULE_NOT_FOUND' }),
  'some',
)
say('told', { described, rebuilt, missing: { code: missing?.code } })
