// Puts a request to the guardian argv[3] at argv[2] for each `ask`, numbered in `by`.
import { obey, say } from '@procref/testing/child'
import { writeRequest } from '../../dist/state/request-file.js'

const [, , path = '', nonce = ''] = process.argv
let by = 0

obey({ ask: () => writeRequest(path, { kind: 'stop', nonce, force: true, by: ++by, at: new Date().toISOString() }) })
say('ready')
