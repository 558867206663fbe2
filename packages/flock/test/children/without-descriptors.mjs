// Asks for fs-ext when no descriptor is left to load it with, and again when there are some.
import { closeSync } from 'node:fs'
import { say, useUpDescriptors } from '@procref/testing/child'
import { loadFlock } from '../../dist/fs-ext.js'

const used = useUpDescriptors()
try {
  loadFlock()
} catch ({ code }) {
  say('refused', { code })
}
for (const fd of used) closeSync(fd)
say('loaded', { kind: typeof loadFlock() })
