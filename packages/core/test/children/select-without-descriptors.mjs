// Chooses a backend when no descriptor is left, the first in a package that Node has not looked at yet. args: the slots' folder.
import { execFileSync } from 'node:child_process'
import { selectBackend } from '@procref/core'
import { say, sayFailed, useUpDescriptors } from '@procref/testing/child'

const [, , dir] = process.argv
execFileSync('prlimit', ['--pid', String(process.pid), '--nofile=200:'])
const last = { name: 'last', support: async () => ({ supported: true }) }
useUpDescriptors()
try {
  const first = { name: 'first', load: async () => await import('@procref/conformance/harness') }
  const { backend } = await selectBackend([first, last], dir)
  say('selected', { name: backend.name })
} catch (error) {
  sayFailed(error)
}
