// Says how a server would be bound when no descriptor is left to ask with, and whether it is asked again when there is one.
import { closeSync } from 'node:fs'
import { say, useUpDescriptors } from '@procref/testing/child'
import { serverBinding } from '../../dist/guardian/spawn-server.js'

const used = useUpDescriptors()
let refusal
try {
  serverBinding()
} catch (error) {
  refusal = error
}
for (const fd of used) closeSync(fd)
say('refused', { code: refusal?.code, message: refusal?.message })
say('bound', { binding: serverBinding() })
