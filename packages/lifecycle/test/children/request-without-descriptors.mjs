// Takes a request when no descriptor is left to read it with, and again when there is one. Arguments: its path, the guardian's nonce.
import { closeSync } from 'node:fs'
import { say, useUpDescriptors } from '@procref/testing/child'
import { takeRequest } from '../../dist/state/request-file.js'

const [, , path, nonce] = process.argv
const used = useUpDescriptors()
let failure
try {
  takeRequest(path, nonce)
} catch (error) {
  failure = error
}
for (const fd of used) closeSync(fd)
say('failed', { code: failure?.code })
say('taken', { request: takeRequest(path, nonce) })
