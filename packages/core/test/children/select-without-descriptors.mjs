// Chooses a backend when no descriptor is left by the time that it is loaded, the first in a package that Node has not looked at yet. args: the slots' folder.
import { execFileSync } from 'node:child_process'
import { selectBackend } from '@procref/core'
import { say, sayFailed, useUpDescriptors } from '@procref/testing/child'

const [, , dir] = process.argv
execFileSync('prlimit', ['--pid', String(process.pid), '--nofile=200:'])
const last = { name: 'last', support: async () => ({ supported: true }) }
const load = async () => {
  useUpDescriptors()
  return await import('@procref/conformance/harness')
}
try {
  const first = { name: 'first', load }
  const { backend } = await selectBackend([first, last], dir)
  say('selected', { name: backend.name })
} catch (error) {
  sayFailed(error)
}
